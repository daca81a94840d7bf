/** Into how many lanes the log's streams are divided: each has one owner and one cursor. */
export const laneCount = 8;

/** Every lane. */
export const allLanes: readonly number[] = Array.from({ length: laneCount }, (_, lane) => lane);

/** The lane of a stream: the last three bits of its uuid, which are random in every version of uuids that we write. */
export function laneOf(stream: string): number {
  return Number.parseInt(stream.slice(-1), 16) & (laneCount - 1);
}
