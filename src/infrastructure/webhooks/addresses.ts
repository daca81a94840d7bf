import { BlockList, isIP } from "node:net";
import type { AddressFault } from "../../modules/webhooks/ports.ts";

/** What an installation lets endpoints be. Both are for sandboxes and tests only. */
export type AddressPolicy = {
  readonly allowHttp: boolean;
  /** Takes loopback and private addresses too. */
  readonly allowPrivate: boolean;
};

/** From IANA's registry of special-purpose addresses: what is not reachable from everywhere, and the multicast ones. */
const specialIpv4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  // Carriers' own networks (CGNAT), which clouds use for their metadata as well.
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  // Link-local: 169.254.169.254 tells clouds' machines their credentials.
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const;

/**
 * Inside 2000::/3, the only global unicast there is; everything outside of it is refused, and with it loopback, unique
 * local, link-local and multicast addresses, IPv4 in IPv6 (::ffff:0:0/96) and NAT64 (64:ff9b::/96).
 */
const specialIpv6 = [
  // Teredo, ORCHID and other assignments for protocols.
  ["2001::", 23],
  ["2001:db8::", 32],
  // 6to4: an IPv4 address in IPv6, private ones too.
  ["2002::", 16],
  ["2620:4f:8000::", 48],
  ["3fff::", 20],
] as const;

const special = new BlockList();
for (const [network, prefix] of specialIpv4) special.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of specialIpv6) special.addSubnet(network, prefix, "ipv6");
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");

/** Whether an IP address, as text, is one of the public internet. False for what is no address. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, "ipv4");
    case 6:
      return globalUnicast.check(address, "ipv6") && !special.check(address, "ipv6");
    default:
      return false;
  }
}

/**
 * What speaks against an endpoint's address before DNS is asked. The parser of URLs writes an IPv4 address in its usual
 * form however it was given (decimal, octal, hexadecimal, short), so that none gets past in disguise.
 */
export function addressFault(text: string, { allowHttp, allowPrivate }: AddressPolicy): AddressFault | null {
  const url = URL.parse(text);
  // The parser takes out or escapes what no address has; it is refused, so that what is kept is what is meant.
  if (url === null || url.hostname === "" || /[\p{Cc}\p{Cs}\s]/u.test(text)) return { type: "url_malformed" };
  if (url.protocol !== "https:" && !(allowHttp && url.protocol === "http:")) return { type: "url_not_https" };
  if (url.username !== "" || url.password !== "") return { type: "url_has_credentials" };
  if (allowPrivate) return null;
  if (!isPublicHost(hostOf(url))) return { type: "url_not_public" };
  // Below 1024 other services listen, whose commands can be put into a request.
  const port = Number(url.port);
  return port === 0 || port >= 1_024 ? null : { type: "url_port_not_allowed" };
}

/** The host without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Names that never mean another machine are refused at once; what the others mean is seen when they are looked up. */
function isPublicHost(host: string): boolean {
  if (isIP(host) !== 0) return isPublicAddress(host);
  return host.includes(".") && !/(?:^|\.)(?:localhost|local|internal|home\.arpa)\.?$/.test(host);
}
