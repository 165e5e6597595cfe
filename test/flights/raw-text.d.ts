// A file as text, which Vite reads for every runtime in which tests run.

declare module "*?raw" {
  const text: string;
  export default text;
}
