/** What a workload's row says of what its pods read, write and sync. */
import { type Static, Type } from '@sinclair/typebox';
import { oneOf } from './schema.ts';

const IoTotalStatus = Type.Object({
  kind: oneOf(['FileRead', 'FileWrite', 'FileSync', 'SocketReceive', 'SocketSend'], {
    description:
      'By the system call, and by what its descriptor is of. What is received from sockets includes the time it is waited for.',
  }),
  callsPerSecond: Type.Integer({ minimum: 0, description: 'Calls a second, of all pods.' }),
  failedPerSecond: Type.Integer({
    minimum: 0,
    description: 'Calls that failed a second; those that would have had to wait are among them.',
  }),
  bytesPerSecond: Type.Integer({ minimum: 0, description: 'Bytes a second, of all pods.' }),
  p50: Type.String({ maxLength: 16, description: 'Half of the calls took no longer; a power of two.' }),
  p99: Type.String({ maxLength: 16, description: '99 of 100 calls took no longer; a power of two.' }),
});
export type IoTotalStatus = Static<typeof IoTotalStatus>;

const SlowIo = Type.Object({
  function: Type.String({
    maxLength: 256,
    description: 'The function of the service, or of a library, that reads, writes or syncs.',
  }),
  call: Type.String({ maxLength: 256, description: 'What it calls of the platform.' }),
  kind: oneOf(['FileRead', 'FileWrite', 'FileSync', 'SocketSend'], { description: 'What it does.' }),
  pods: Type.Integer({ minimum: 1, description: 'Pods in which it was seen.' }),
  calls: Type.Integer({
    minimum: 0,
    description:
      'Slow calls and, of syncs, all, in the window of ten seconds in which each pod was last seen to make them.',
  }),
  time: Type.String({ maxLength: 16, description: 'What those calls took together.' }),
  stack: Type.Array(Type.String({ maxLength: 256 }), {
    maxItems: 16,
    'x-kubernetes-list-type': 'atomic',
    description: 'Its callers, innermost first, without the machinery of coroutines. At most 16.',
  }),
});
export type SlowIo = Static<typeof SlowIo>;

/** Fields of the row. */
export const ioStatus = {
  io: Type.Optional(
    oneOf(['Seen', 'Unsupported'], {
      description:
        'With spec.io.enabled, whether it can be seen what is read and written; of pods that differ, the worst.',
    }),
  ),
  ioReason: Type.Optional(
    Type.String({
      maxLength: 64,
      description:
        'Why io is Unsupported. IO_NO_BTF: the kernel of the node does not describe its types. IO_ATTACH_FAILED: it has no tracepoints of system calls, or tracefs is not mounted into the agent. Else the code of what failed on the node.',
    }),
  ),
  ioMessage: Type.Optional(
    Type.String({ maxLength: 256, description: 'Why io is Unsupported, in a sentence.' }),
  ),
  ioTotals: Type.Optional(
    Type.Array(IoTotalStatus, {
      maxItems: 5,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['kind'],
      description: 'With spec.io.enabled, what the pods read, wrote and synced in their last window.',
    }),
  ),
  slowIo: Type.Optional(
    Type.Array(SlowIo, {
      maxItems: 4,
      'x-kubernetes-list-type': 'atomic',
      description:
        'With spec.io.enabled, functions that in the last five minutes made slow calls for a hundredth of a thread’s time or more, or synced a file ten times a second or more; those that took longest first. At most 4.',
    }),
  ),
};
