import { PlasmaProvider } from "plasma-sync/react";
import { StrictMode, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { onSession, readSession } from "./session.ts";
import { App } from "./ui/app.tsx";
import "./styles.css";

function Root() {
  const { client, isSyncOn } = useSyncExternalStore(onSession, readSession);
  return (
    <PlasmaProvider client={client}>
      <App key={String(isSyncOn)} isSyncOn={isSyncOn} />
    </PlasmaProvider>
  );
}

const element = document.getElementById("root");
if (element === null) throw new Error("index.html has no #root");
createRoot(element).render(
  <StrictMode>
    <Root />
  </StrictMode>,
);
