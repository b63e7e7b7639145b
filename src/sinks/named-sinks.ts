/** The sinks that settings name, each with its delivery: opened and closed as they come and go. */
import { isDeepStrictEqual } from 'node:util';
import type { SinkAddress } from '../wire/sinks.ts';
import type { Delivery } from './delivery.ts';

interface OpenSink<Item, Address> {
  readonly address: Address;
  readonly delivery: Delivery<Item>;
}

/** `make`: a delivery that has not been started. */
export function namedSinks<Item, Address extends SinkAddress>(make: (address: Address) => Delivery<Item>) {
  const open = new Map<string, OpenSink<Item, Address>>();
  const close = async (name: string, last: AbortSignal) => {
    const sink = open.get(name);
    open.delete(name);
    await sink?.delivery.stop(last);
  };
  return {
    open: open as ReadonlyMap<string, OpenSink<Item, Address>>,
    /** Those that stay as they are keep what waits. */
    be(addresses: readonly Address[]) {
      const wanted = new Map(addresses.map((address) => [address.name, address]));
      for (const [name, { address }] of [...open]) {
        const isSame = isDeepStrictEqual(wanted.get(name), address);
        if (!isSame) void close(name, AbortSignal.abort()); // it ends at once, and throws nothing
      }
      for (const [name, address] of wanted) {
        if (open.has(name)) continue;
        const delivery = make(address);
        delivery.start();
        open.set(name, { address, delivery });
      }
    },
    stop: (last: AbortSignal) => Promise.all([...open.keys()].map((name) => close(name, last))),
  };
}
