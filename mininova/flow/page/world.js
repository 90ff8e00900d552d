// The page's own copy of the cloud: its services, queues and instances, as /api/world gave them and as the stream
// changes them; and who on the map a message's sender or receiver is.

// The binaries that stand above the broker, in the order of a boot.
const CONTROLLERS = ["api", "conductor", "scheduler"];

export class World {
  constructor() {
    this.services = new Map(); // by name: compute.host-1
    this.queues = new Map(); // by name: compute.host-1, conductor
    this.instances = new Map(); // by uuid
    this.processes = new Map(); // by name, those that stand for many hosts → the first of these
    this.shape = 0; // grows when boxes have to be placed anew
  }

  // Take a whole world, or those rows of it that changed.
  apply(change) {
    for (const service of change.services ?? []) {
      if (!this.services.has(service.name)) this.shape += 1;
      this.services.set(service.name, service);
      if (service.by && !this.processes.has(service.by)) this.processes.set(service.by, service.name);
    }
    for (const queue of change.queues ?? []) this.queues.set(queue.name, queue);
    for (const instance of change.instances ?? []) this.instances.set(instance.uuid, instance);
    for (const uuid of change.gone ?? []) this.instances.delete(uuid);
  }

  // Learn of services from the parties of a message, when nothing else told of them.
  learn(message) {
    const strangers = [message.from, message.to].filter((party) => this.isUnknownService(party));
    const row = (name) => ({ name, host: name.slice(name.indexOf(".") + 1), state: "unknown", in_flight: 0 });
    if (strangers.length) this.apply({ services: strangers.map(row) });
  }

  // The services of the controllers, in the order of a boot.
  controllers() {
    const rank = ({ name }) => (CONTROLLERS.includes(kindOfService(name)) ? CONTROLLERS.indexOf(kindOfService(name)) : CONTROLLERS.length);
    const found = [...this.services.values()].filter((service) => kindOfService(service.name) !== "compute");
    return found.sort((one, other) => rank(one) - rank(other) || byName(one, other));
  }

  // The services that run instances.
  computes() {
    return [...this.services.values()].filter((service) => kindOfService(service.name) === "compute").sort(byName);
  }

  // host → its instances, the oldest first; "" for those that are on none.
  instancesByHost() {
    const found = new Map();
    for (const instance of this.instances.values()) {
      const host = instance.host ?? "";
      if (!found.has(host)) found.set(host, []);
      found.get(host).push(instance);
    }
    return found;
  }

  // The instance that a message is about, if the page knows it: a message names it by its name or its uuid.
  instanceOf(message) {
    if (!message.server) return undefined;
    const known = this.instances.get(message.server);
    return known ?? [...this.instances.values()].find((instance) => instance.name === message.server);
  }

  // The name of the box that stands for a party of a message: a service by its full name if there is such a box, or
  // else the first of its kind; undefined for one that is none of ours.
  boxOf(party) {
    if (party === "client" || party === "notifications" || this.services.has(party)) return party;
    const kind = kindOfService(party);
    return [...this.services.keys()].find((name) => kindOfService(name) === kind && kind !== "compute");
  }

  // The box at which a message of a party begins or ends: a process of many hosts has none, so it borrows its first host's.
  placeOf(party) {
    return this.processes.get(party) ?? this.boxOf(party);
  }

  isUnknownService(party) {
    return party.includes(".") && !this.processes.has(party) && !party.endsWith(".dead") && !party.includes(" ") && !this.services.has(party);
  }
}

// conductor of conductor.ctl-1.
export function kindOfService(name) {
  const dot = name.indexOf(".");
  return dot < 0 ? name : name.slice(0, dot);
}

// host-1 of compute.host-1.
export function hostOf(name) {
  return name.slice(name.indexOf(".") + 1);
}

const collator = new Intl.Collator("en", { numeric: true });

function byName(one, other) {
  return collator.compare(one.name, other.name);
}
