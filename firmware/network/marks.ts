/**
 * The numbers by which the router's part of the kernel's network is told from everybody else's.
 *
 * How routing works here. Every outer socket (the UDP that carries a tunnel, and the DNS queries for its server)
 * carries the mark {@link OUTER_MARK}. One rule sends all packets *without* that mark through table
 * {@link TUNNEL_TABLE} before the main table is asked. So the outer packets of a tunnel never enter a tunnel, wherever
 * the server is: even inside a prefix that the tunnel routes, even when that is 0.0.0.0/0. Table 5000 holds, for every
 * configured remote prefix, an `unreachable` route with the worst metric, always: while the tunnel is down inner
 * packets are refused with an ICMP message and never take the default route in clear text. While the tunnel stands the
 * same prefix leads into its device with a better metric. For directly connected networks inside such a prefix a
 * `throw` route ends the search in the table, so that the main table answers and longest prefix wins across both.
 *
 * IPsec between networks (`routing: "policy"`) takes a packet by its source as well. For each source network there is a
 * rule with a table of its own, which holds the remote prefixes that packets from there go to, in the same three kinds of
 * routes; what is in none of these tables, or comes from elsewhere, goes on as if there were none. Packets of this router
 * that have no source yet count as one more source network, 0.0.0.0/32: the route gives them an address of this end. A
 * rule cannot ask for a source and against a mark at once, so marked packets jump over these rules.
 *
 * Behind all of these, where nothing that belongs in a tunnel comes any more, stands a rule for each uplink that has an
 * address: packets from that address ask the uplink's own table, whose default leads out by it, whichever uplink carries
 * the rest. So a probe leaves by the uplink that it judges, and the outer packets of a tunnel stay on the uplink on which
 * the tunnel was made until it has moved.
 *
 * Where several uplinks share the traffic, the default route of the main table has a next hop for each. Outer packets that
 * have no address yet look into {@link STEADY_TABLE} before it, whose default is by one of them alone: what calls out does
 * not get another address whenever another uplink joins.
 */

/** rtm_protocol of every route and rule we make. In the range that iproute2 leaves to others. */
export const ROUTE_PROTOCOL = 201;

/** Routing table of remote prefixes. */
export const TUNNEL_TABLE = 5000;

/** Priority of the rule that looks into {@link TUNNEL_TABLE}: after `local` (0), before `main` (32766). */
export const RULE_PRIORITY = 5000;

/** Priority of the rule by which marked packets jump to {@link RULE_PRIORITY}, past those of source networks. */
export const OUTER_PRIORITY = 4959;

/** Priority of the rule of a source that is one address; the shorter the prefix, the higher the number, by 32 at most. */
export const FIRST_SOURCE_PRIORITY = 4960;

/** Priority of the rules of uplinks: behind everything that may lead into a tunnel. */
export const UPLINK_PRIORITY = 5001;

/** Priority of the rule by which outer packets without an address stay on one uplink while several share the traffic. */
export const STEADY_PRIORITY = 5002;

/** The table of that rule, behind those of eight uplinks. */
export const STEADY_TABLE = 90_009;

/** The table of the first uplink; the others follow. Far behind those of source networks. */
export const FIRST_UPLINK_TABLE = 90_001;

/** Tables of source networks are numbered from here on. */
export const FIRST_SOURCE_TABLE = 5001;

/** SO_MARK of outer sockets. */
export const OUTER_MARK = 0xc1;

/** The kernel's main table. */
export const MAIN_TABLE = 254;

/** Tables of ours may have numbers up to here. */
export const LAST_TABLE = 99_999;

/** The worst metric there is: any other route to the same prefix wins. */
export const UNREACHABLE_METRIC = 4294967295;

/** Metric of a prefix through its tunnel. */
export const TUNNEL_METRIC = 100;

/** Better than a tunnel's: where a connected network equals a remote prefix, the connected network wins. */
export const THROW_METRIC = 10;

/** Name of our nftables table. */
export const FILTER_TABLE = 'culvert';
