/** What `jcmd PID GC.heap_info` prints, of the collector the bench asks for. Pure. */

const KB_PER_MB = 1024;

/**
 * Megabytes in use of a G1 heap. JDK 17 says "garbage-first heap   total 262144K, used 13034K [0x…", JDK 25 puts "reserved"
 * and "committed" in between. Throws on the text of another collector, or of a jcmd that failed.
 */
export function parseUsedHeapMb(text: string): number {
  const usedKb = /^\s*garbage-first heap\s.*?\bused (\d+)K/m.exec(text)?.[1];
  if (usedKb === undefined) throw new Error(`no G1 heap in the heap's description: ${text.slice(0, 200)}`);
  return Number(usedKb) / KB_PER_MB;
}
