import { plasma } from "./plasma.ts";
import { createDataset } from "./dataset.ts";
import { editsOf } from "./views.ts";
const view = process.argv[2] as any;
const N = Number(process.argv[3] ?? 50000);
const data = createDataset();
const loaded: any = await plasma.start(data);
const t0 = performance.now();
const opened = loaded.open(view);
const t1 = performance.now();
const editOf = editsOf(view, data);
for (let k = 0; k < 3000; k++) {
  const e = editOf(k % 400);
  loaded.add(e.table, e.row);
  loaded.remove(e.table, e.row);
}
const s: number[] = [];
for (let b = 0; b < 40; b++) {
  const s0 = performance.now();
  for (let k = 0; k < N / 40; k++) {
    const e = editOf(k % 400);
    loaded.add(e.table, e.row);
    loaded.remove(e.table, e.row);
  }
  s.push(((performance.now() - s0) / (N / 40)) * 1000);
}
s.sort((a, b) => a - b);
opened.close();
await new Promise((r) => setTimeout(r, 1));
const h: number[] = [];
for (let i = 0; i < 300; i++) {
  const s0 = performance.now();
  const o = loaded.open(view);
  h.push((performance.now() - s0) * 1000);
  o.close();
  await new Promise((r) => setImmediate(r));
}
h.sort((a, b) => a - b);
console.log(
  view,
  "pair us min",
  s[0].toFixed(2),
  "p50",
  s[20].toFixed(2),
  "hydrate us min",
  h[0].toFixed(1),
  "p50",
  h[150].toFixed(1),
  "first ms",
  (t1 - t0).toFixed(1),
);
