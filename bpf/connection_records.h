/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What bpf/requests.bpf.c keeps of connections, and how a record is made and sent. */
#ifndef FLAMEGATE_CONNECTION_RECORDS_H
#define FLAMEGATE_CONNECTION_RECORDS_H

#include <linux/bpf.h>
/* keep: after bpf.h */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <linux/in.h>

#include "kernel_fields.h"
#include "requests.h"
#include "user_buffers.h"
/* keep: after user_buffers.h, which says how user memory is read */
#include "socket_roles.h"

/* The only variable of .rodata: the loader finds it at offset 0. */
const volatile struct fg_requests_knobs knobs = {.abi_version = FG_REQUESTS_ABI_VERSION};
/* include/linux/socket.h */
enum { FG_AF_INET = 2, FG_AF_INET6 = 10 };

struct connection {
  __u64 born_ns;
  __u64 first_unread_ns; /* when the oldest byte that nobody has read yet arrived; 0 if there is none */
  __u64 last_arrival_ns;
  __u64 last_received_ns;
  __u32 container;
  __u32 sequence;
  __u32 role;     /* enum fg_role */
  __u32 was_seen; /* a call was made on it */
};

/* What a connection of HTTP/2 has besides. */
struct http2 {
  struct fg_frames received;
  struct fg_frames sent;
  /* Of bytes that were not read yet, the oldest first: streams that were read in one call arrived one by one.
   */
  __u32 first_arrival; /* written by who reads, the next one by who notes */
  __u32 next_arrival;
  struct fg_arrival arrivals[FG_KEPT_ARRIVALS];
};

/* The sizes of these four are set before load. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} ring SEC(".maps");

/* Cgroup v2 ids. Only user space inserts. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, struct fg_watched);
} targets SEC(".maps");

/* By the address of the socket. An entry goes when its socket closes. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 16384);
  __type(key, __u64);
  __type(value, struct connection);
} connections SEC(".maps");

/* By the same address. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 16384);
  __type(key, __u64);
  __type(value, struct http2);
} http2_connections SEC(".maps");

/* Where a JVM counts for how long it stood still, by process. Only user space inserts. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, __u64);
} stop_counters SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fg_requests_counters);
} counters SEC(".maps");

/* Records are built here, for their size is known only after the copy. Only programs that run in a system
 * call use it, and tracepoints keep the CPU to themselves while they run. */
struct scratch {
  struct fg_walk walk;
  struct http2 fresh;
  volatile __u32 end_of_head;
  struct fg_socket_record record;
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct scratch);
} scratches SEC(".maps");
static __always_inline void count(enum fg_socket_cause cause) {
  __u32 zero = 0;
  struct fg_requests_counters* all = bpf_map_lookup_elem(&counters, &zero);
  if (all) all->by_cause[cause]++;
}

static __always_inline bool is_tcp(const struct sock* sk) {
  __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
  return (family == FG_AF_INET || family == FG_AF_INET6) && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP;
}

/* A socket that has no more to say leaves no entry, for nobody would remove it. */
static __always_inline bool is_connected(const struct sock* sk) {
  unsigned char state = BPF_CORE_READ(sk, __sk_common.skc_state);
  return state == BPF_TCP_ESTABLISHED || state == BPF_TCP_CLOSE_WAIT || state == BPF_TCP_SYN_RECV;
}

static __always_inline struct connection* connection_of(const struct sock* sk, __u32 container,
                                                        __u64 now_ns) {
  __u64 key = (__u64)sk;
  struct connection* known = bpf_map_lookup_elem(&connections, &key);
  if (known) return known;
  if (!is_connected(sk)) return 0;
  struct connection fresh = {.born_ns = now_ns, .container = container};
  if (bpf_map_update_elem(&connections, &key, &fresh, BPF_NOEXIST)) count(FG_SOCKET_CAUSE_TABLE_FULL);
  return bpf_map_lookup_elem(&connections, &key);
}

static __always_inline void describe(struct fg_socket_record_header* header, struct connection* connection,
                                     __u64 socket, enum fg_socket_event event, __u64 now_ns) {
  header->version = FG_REQUESTS_ABI_VERSION;
  header->event = event;
  header->container = connection->container;
  header->socket = socket;
  header->born_ns = connection->born_ns;
  header->time_ns = now_ns;
  header->arrived_ns = 0;
  header->sequence = connection->sequence++;
  header->length = 0;
  header->captured = 0;
  header->is_peer_closed = 0;
  header->is_http2 = 0;
  header->received = header->sent = 0;
  header->process = header->thread = 0;
  header->stopped_ns = 0;
}

static __always_inline void send(void* record, __u64 bytes) {
  bool is_urgent = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > knobs.wakeup_bytes;
  count(FG_SOCKET_CAUSE_RECORDS);
  if (bpf_ringbuf_output(&ring, record, bytes, is_urgent ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP))
    count(FG_SOCKET_CAUSE_RING_FULL);
}

static __always_inline __u64 take_arrival(struct connection* connection, const struct sock* sk,
                                          __u64 now_ns) {
  __u64 arrived_ns = connection->first_unread_ns;
  __u64 last_ns = connection->last_arrival_ns;
  /* The stamp of a byte that came while we took the one before it may have been overwritten. */
  if (!arrived_ns && last_ns > connection->last_received_ns) arrived_ns = last_ns;
  const struct tcp_sock* tcp = (const void*)sk;
  bool is_empty = BPF_CORE_READ(tcp, rcv_nxt) == BPF_CORE_READ(tcp, copied_seq);
  connection->first_unread_ns = is_empty ? 0 : last_ns;
  connection->last_received_ns = now_ns;
  return arrived_ns;
}

/* So that a container whose requests cannot be seen is not taken for one that has none. */
static __always_inline void count_hidden(struct fg_watched* watched, enum fg_socket_event event, __u32 role) {
  enum fg_hidden kind = role == FG_ROLE_TLS     ? FG_HIDDEN_TLS
                        : role == FG_ROLE_HTTP2 ? FG_HIDDEN_HTTP2
                                                : FG_HIDDEN_OTHER;
  bool is_hidden = role == FG_ROLE_UNKNOWN || role == FG_ROLE_TLS || role == FG_ROLE_HTTP2;
  if (event == FG_SOCKET_RECEIVED && is_hidden) __sync_fetch_and_add(&watched->hidden[kind], 1);
}

/* What all that is done about one call needs to know. */
struct call {
  const struct sock* sk;
  struct scratch* scratch;
  struct connection* connection;
  struct fg_watched* watched;
  __u64 now_ns;
  __u64 arrived_ns;
  __u32 moved;
};

static __always_inline __u64 stopped_ns(__u32 process) {
  __u64* address = bpf_map_lookup_elem(&stop_counters, &process);
  __u64 ns = 0;
  bool is_read = address && !bpf_probe_read_user(&ns, sizeof(ns), (const void*)*address);
  return is_read ? ns + 1 : 0;
}

static __always_inline void describe_call(const struct call* call, enum fg_socket_event event, __u32 moved,
                                          __u32 captured) {
  struct fg_socket_record_header* header = &call->scratch->record.header;
  const struct sock* sk = call->sk; /* not within BPF_CORE_READ: the kernel knows no struct call */
  __u64 caller = bpf_get_current_pid_tgid();
  describe(header, call->connection, (__u64)call->sk, event, call->now_ns);
  header->process = caller >> 32;
  header->thread = (__u32)caller;
  header->stopped_ns = stopped_ns(header->process);
  header->arrived_ns = call->arrived_ns;
  header->length = moved;
  header->captured = captured;
  header->is_peer_closed = BPF_CORE_READ(sk, __sk_common.skc_state) == BPF_TCP_CLOSE_WAIT;
}

static __always_inline void send_call(const struct call* call, enum fg_socket_event event, __u32 moved,
                                      __u32 captured) {
  describe_call(call, event, moved, captured);
  __u64 bytes = sizeof(call->scratch->record.header) + captured;
  if (!fg_bounded(bytes, sizeof(call->scratch->record))) return; /* never; for the verifier */
  send(&call->scratch->record, bytes);
}

#endif
