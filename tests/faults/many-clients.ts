/**
 * A process with many clients, each with a copy of a session of its own. Its arguments are the address and how many. It prints how
 * often clients were connected, their copies ready and stale, whenever all of them have come as far as the others.
 */
import { connect } from "snakepit-bridge";
import { Notices } from "./notices.js";

const [address = "", many = "1"] = process.argv.slice(2);
const count = Number(many);
const notices = new Notices();
const clients = Array.from({ length: count }, () => connect(address, { timeoutMs: 60_000 }));
const sessions = await Promise.all(clients.map((client, i) => client.session(`run-${process.pid}-${i}`)));
await Promise.all(sessions.map((session) => session.ready()));

let said = "";
setInterval(() => {
  const [ready, stale, connected] = [
    notices.count("ready"),
    notices.count("stale"),
    notices.count("connect"),
  ];
  // Nobody is half-way: each copy is where the last one is, and a client is connected before its copy is ready.
  if (ready % count !== 0 || stale % count !== 0 || said === `${ready} ${stale}`) return;
  said = `${ready} ${stale}`;
  console.log(JSON.stringify({ connected, ready, stale }));
}, 50);
