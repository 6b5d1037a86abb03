// Nobody is signed in here: what was kept by whoever was goes.

import { listTapes, removeTape } from "./shelf.js";
import { canKeep, lookAgain } from "./worker-link.js";

async function forget() {
  const owners = (await listTapes()).filter(({ isOwners }) => isOwners);
  for (const { path } of owners) await removeTape(path);
  if (owners.length) await lookAgain();
}

if (canKeep()) forget().catch((error) => console.warn("what was kept could not be removed", error));
