import { type LookupAddress, lookup } from "node:dns";
import { Resolver } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { isPublicAddress } from "./addresses.ts";

/** All addresses of a host. Rejects where there is none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Thrown where a name leads somewhere that no endpoint may be. */
class AddressNotPublic extends Error {
  constructor(host: string) {
    super(`${host} leads to an address that is not public`);
    this.name = "AddressNotPublic";
  }
}

const resolver = new Resolver({ timeout: 2_000, tries: 2 });

/**
 * Asks the name servers. The system's own resolver would do it on one of four threads that everything in the process
 * shares, where a few names whose servers do not answer hold all others up.
 */
export const resolvePublicly: Resolve = async (host) => {
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const addresses = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  if (addresses.length > 0) return addresses;
  throw answers.find((answer) => answer.status === "rejected")?.reason ?? new Error(`${host} has no address`);
};

/** Asks the system, which knows the names of its own machines as well: for the sandbox. */
export const resolveLocally: Resolve = (host) =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, found) => {
      if (error === null) resolve(found.map(({ address }) => address));
      else reject(error);
    });
  });

/**
 * The lookup of a connection: it gets the addresses that were checked, and asks nobody again, so that a name cannot
 * mean one address when it is checked and another when it is connected to. One address that is not public, and none of
 * a name's is taken: nobody means such a name well.
 */
export function guardedLookup(resolve: Resolve, allowPrivate: boolean): LookupFunction {
  return (host, options, callback) => {
    resolve(host).then(
      (addresses) => {
        const found: LookupAddress[] = addresses.map((address) => ({ address, family: isIP(address) }));
        const [first] = found;
        if (first === undefined) return callback(new Error(`${host} has no address`), "", 0);
        if (!allowPrivate && !addresses.every(isPublicAddress)) return callback(new AddressNotPublic(host), "", 0);
        if (options.all === true) callback(null, found);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, "", 0),
    );
  };
}
