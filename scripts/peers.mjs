// Installs the servers that the benchmark measures the bridge beside: Redis and etcd. Nothing else needs them.
// As root on Debian and its kin it installs the packages that are missing; elsewhere it says which.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CommandFailed, commandStep, Failure, isMain, main } from "./process.mjs";

const peers = [
  { name: "Redis", program: "redis-server", debianPackage: "redis-server", service: "redis-server" },
  { name: "etcd", program: "etcd", debianPackage: "etcd-server", service: "etcd" },
];

/** Installs what is missing and says what it did. Throws a Failure that names the packages if it cannot. */
export async function installPeers() {
  const missing = peers.filter(({ program }) => pathOf(program) === undefined);
  if (missing.length > 0) await install(missing);
  for (const { name, program } of peers) {
    const path = pathOf(program);
    if (path === undefined) throw new Failure(`${name} was installed, but there is no ${program} on PATH.`);
    console.log(`${name} is here: ${path}`);
  }
}

async function install(missing) {
  const names = missing.map(({ name }) => name).join(" and ");
  const packages = missing.map(({ debianPackage }) => debianPackage);
  if (pathOf("apt-get") === undefined)
    throw new Failure(
      `missing: ${names}. Install Redis 7 and etcd 3 so that redis-server and etcd are on PATH.`,
    );
  const command = ["apt-get", "install", "-y", "--no-install-recommends", ...packages];
  if (process.getuid() !== 0)
    throw new Failure(`missing: ${names}. Only root may install them: run \`sudo ${command.join(" ")}\`.`);
  try {
    await commandStep("apt-get update", "apt-get", ["update"]);
    await commandStep(`apt-get install ${packages.join(" ")}`, command[0], command.slice(1), {
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
    for (const { service } of missing) await takeOutOfService(service);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new Failure(`${error.message}: see ${error.saveLog()} for the reason.`);
  }
}

/** Debian starts what it installs, now and with the machine; the benchmark has its own ports and folders. */
async function takeOutOfService(service) {
  const env = { PATH: `${process.env.PATH}${delimiter}/usr/sbin${delimiter}/sbin` };
  await commandStep(`stop the service ${service}`, "service", [service, "stop"], { env });
  await commandStep(`disable the service ${service}`, "update-rc.d", [service, "disable"], { env });
}

function pathOf(program) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

if (isMain(import.meta.url)) await main(installPeers);
