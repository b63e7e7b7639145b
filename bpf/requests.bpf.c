/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What watched containers receive and send on TCP sockets that serve HTTP/1.1: the first bytes of each call,
 * its length, and when its bytes had arrived. It filters, copies, stamps and counts; what is a request, user
 * space finds out. Two sets of programs for the same records, of which one is attached: sockets kernel 6.3 or
 * later: tracepoints of the socket layer, nothing for anybody's other calls system calls before: at the end
 * of each call that may be a socket's; needs BTF (5.15) and tracefs */
#include <linux/bpf.h>
/* keep: after bpf.h */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <linux/in.h>

#include "kernel_fields.h"
#include "requests.h"
#include "user_buffers.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The only variable of .rodata: the loader finds it at offset 0. */
const volatile struct fg_requests_knobs knobs = {.abi_version = FG_REQUESTS_ABI_VERSION};

/* include/uapi/linux/bpf.h calls them BPF_TCP_…; include/linux/socket.h; include/uapi/linux/stat.h */
enum { FG_AF_INET = 2, FG_AF_INET6 = 10, FG_S_IFMT = 0170000, FG_S_IFSOCK = 0140000, FG_MSG_PEEK = 2 };
/* RFC 9293: the upper half of this byte of the header counts its words. */
enum { FG_TCP_DATA_OFFSET = 12 };

enum { ROLE_UNKNOWN, ROLE_SERVER, ROLE_OTHER, ROLE_TLS, ROLE_HTTP2 };

struct connection {
  __u64 born_ns;
  __u64 first_unread_ns; /* when the oldest byte that nobody has read yet arrived; 0 if there is none */
  __u64 last_arrival_ns;
  __u64 last_received_ns;
  __u32 container;
  __u32 sequence;
  __u32 role;
  __u32 was_seen; /* a call was made on it */
};

/* The sizes of these three are set before load. */
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

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fg_requests_counters);
} counters SEC(".maps");

/* Records are built here, for their size is known only after the copy. Only programs that run in a system
 * call use it, and tracepoints keep the CPU to themselves while they run. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fg_socket_record);
} scratch SEC(".maps");

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
}

static __always_inline void send(void* record, __u64 bytes) {
  bool is_urgent = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > knobs.wakeup_bytes;
  count(FG_SOCKET_CAUSE_RECORDS);
  if (bpf_ringbuf_output(&ring, record, bytes, is_urgent ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP))
    count(FG_SOCKET_CAUSE_RING_FULL);
}

/* The first bytes of the methods of RFC 9110 and 5789; fewer bytes may be the beginning of one. */
static __always_inline bool begins_request(__u32 word, __u32 bytes) {
  __u32 mask = bytes >= 4 ? ~0u : (1u << (8 * bytes)) - 1;
  word &= mask;
  return word == (0x20544547 & mask) /* "GET " */ || word == (0x54534f50 & mask) /* POST */ ||
         word == (0x20545550 & mask) /* "PUT " */ || word == (0x454c4544 & mask) /* DELE */ ||
         word == (0x44414548 & mask) /* HEAD */ || word == (0x43544150 & mask) /* PATC */ ||
         word == (0x4954504f & mask) /* OPTI */ || word == (0x43415254 & mask) /* TRAC */ ||
         word == (0x4e4e4f43 & mask) /* CONN */;
}

static __always_inline bool begins_response(__u32 word) {
  return word == 0x50545448; /* HTTP */
}

// who sends the first request line → what the socket is
// received from the peer           → it serves
// sent to the peer                 → a client's
// a response was sent              → it serves; we came in the middle
// a TLS handshake, HTTP/2          → neither can be read here, counted once
// anything else                    → unknown; asked again at each call
static __always_inline __u32 role_of(struct connection* connection, enum fg_socket_event event,
                                     const __u8* data, __u32 bytes) {
  __u32 word = *(const __u32*)data;
  bool was_seen = connection->was_seen;
  connection->was_seen = 1;
  if (event == FG_SOCKET_SENT) {
    if (begins_request(word, bytes)) return ROLE_OTHER;
    return bytes >= 4 && begins_response(word) ? ROLE_SERVER : ROLE_UNKNOWN;
  }
  if (!was_seen && bytes >= 3 && (word & 0xffff) == 0x0316) { /* a handshake record of TLS 1.x */
    count(FG_SOCKET_CAUSE_TLS);
    return ROLE_TLS;
  }
  if (!was_seen && bytes >= 4 && word == 0x20495250) { /* "PRI " */
    count(FG_SOCKET_CAUSE_HTTP2);
    return ROLE_HTTP2;
  }
  return begins_request(word, bytes) ? ROLE_SERVER : ROLE_UNKNOWN;
}

/* HTTP/1.1 101: what follows is another protocol. */
static __always_inline bool switches_protocols(const __u8* data, __u32 bytes) {
  return bytes >= 12 && begins_response(*(const __u32*)data) && data[9] == '1' && data[10] == '0' &&
         data[11] == '1';
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
  enum fg_hidden kind = role == ROLE_TLS     ? FG_HIDDEN_TLS
                        : role == ROLE_HTTP2 ? FG_HIDDEN_HTTP2
                                             : FG_HIDDEN_OTHER;
  bool is_hidden = role == ROLE_UNKNOWN || role == ROLE_TLS || role == ROLE_HTTP2;
  if (event == FG_SOCKET_RECEIVED && is_hidden) __sync_fetch_and_add(&watched->hidden[kind], 1);
}

static __always_inline void on_call(const struct sock* sk, struct fg_buffers* buffers,
                                    enum fg_socket_event event, struct fg_watched* watched, __u32 moved) {
  __u64 now_ns = bpf_ktime_get_ns();
  __u32 zero = 0;
  struct connection* connection = connection_of(sk, watched->container, now_ns);
  if (!connection) return;
  if (connection->role >= ROLE_OTHER) {
    count(FG_SOCKET_CAUSE_NOT_SERVING);
    count_hidden(watched, event, connection->role);
    return;
  }
  struct fg_socket_record* record = bpf_map_lookup_elem(&scratch, &zero);
  if (!record) return; /* never; for the verifier */

  __u64 arrived_ns = event == FG_SOCKET_RECEIVED ? take_arrival(connection, sk, now_ns) : 0;
  *(__u32*)record->data = 0;
  __u32 captured = fg_capture(record->data, buffers, moved);
  if (!captured) count(FG_SOCKET_CAUSE_NO_BYTES);
  if (connection->role == ROLE_UNKNOWN) {
    __u32 role = role_of(connection, event, record->data, captured);
    connection->role = role;
    if (role != ROLE_SERVER) {
      count(role == ROLE_UNKNOWN ? FG_SOCKET_CAUSE_UNKNOWN_PROTOCOL : FG_SOCKET_CAUSE_NOT_SERVING);
      count_hidden(watched, event, role);
      return;
    }
  }
  describe(&record->header, connection, (__u64)sk, event, now_ns);
  record->header.arrived_ns = arrived_ns;
  record->header.length = moved;
  record->header.captured = captured;
  record->header.is_peer_closed = BPF_CORE_READ(sk, __sk_common.skc_state) == BPF_TCP_CLOSE_WAIT;
  __u64 bytes = sizeof(record->header) + captured;
  if (!fg_bounded(bytes, sizeof(*record))) return; /* never; for the verifier */
  send(record, bytes);
  if (event == FG_SOCKET_SENT && switches_protocols(record->data, captured)) connection->role = ROLE_OTHER;
}

static __always_inline struct fg_watched* current_container(void) {
  __u64 cgroup = bpf_get_current_cgroup_id();
  return bpf_map_lookup_elem(&targets, &cgroup);
}

static __always_inline void on_socket_call(const struct sock* sk, enum fg_socket_event event, int result) {
  if (result <= 0) return;
  struct fg_watched* watched = current_container();
  if (!watched || !is_tcp(sk)) return;
  struct fg_buffers buffers = {};
  fg_call_buffers(&buffers);
  on_call(sk, &buffers, event, watched, result);
}

SEC("tp_btf/sock_recv_length")
int on_received(const __u64* args) {
  if (!(args[2] & FG_MSG_PEEK)) on_socket_call((const struct sock*)args[0], FG_SOCKET_RECEIVED, (int)args[1]);
  return 0;
}

SEC("tp_btf/sock_send_length")
int on_sent(const __u64* args) {
  on_socket_call((const struct sock*)args[0], FG_SOCKET_SENT, (int)args[1]);
  return 0;
}

/* A socket has the cgroup of who made it, or of the listening socket it came from: whoever runs now, in a
 * softirq, has nothing to do with it. */
static __always_inline void on_arrival(const struct sock* sk) {
  __u64 cgroup = sk->sk_cgrp_data.cgroup->kn->id; /* not by a helper: it runs for each arrival of the node */
  struct fg_watched* watched = bpf_map_lookup_elem(&targets, &cgroup);
  if (!watched || !is_tcp(sk)) return;
  __u64 now_ns = bpf_ktime_get_ns();
  struct connection* connection = connection_of(sk, watched->container, now_ns);
  if (!connection) return;
  connection->last_arrival_ns = now_ns;
  if (!connection->first_unread_ns) connection->first_unread_ns = now_ns;
}

SEC("tp_btf/sk_data_ready")
int on_data_ready(const __u64* args) {
  on_arrival((const struct sock*)args[0]);
  return 0;
}

/* How the socket ends, by the state it is in and the one it comes to; 0 if it does not. */
static __always_inline __u32 ending(int old_state, int new_state) {
  bool was_open = old_state == BPF_TCP_ESTABLISHED || old_state == BPF_TCP_CLOSE_WAIT;
  switch (new_state) {
    case BPF_TCP_CLOSE:
      return was_open ? FG_SOCKET_ABORTED : FG_SOCKET_ENDED;
    case BPF_TCP_CLOSE_WAIT:
      return FG_SOCKET_PEER_CLOSED;
    case BPF_TCP_FIN_WAIT1:
    case BPF_TCP_LAST_ACK:
      return FG_SOCKET_CLOSED;
  }
  return 0;
}

SEC("tp_btf/inet_sock_set_state")
int on_state(const __u64* args) {
  __u64 key = args[0];
  struct connection* connection = bpf_map_lookup_elem(&connections, &key);
  if (!connection) return 0;
  int new_state = (int)args[2];
  __u32 event = ending((int)args[1], new_state);
  if (event && connection->role == ROLE_SERVER) {
    struct fg_socket_record_header header;
    describe(&header, connection, key, event, bpf_ktime_get_ns());
    send(&header, sizeof(header));
  }
  /* A new socket at the address of one whose end was missed is not that one. */
  if (new_state == BPF_TCP_CLOSE || new_state == BPF_TCP_ESTABLISHED) bpf_map_delete_elem(&connections, &key);
  return 0;
}

/* Where there is no sk_data_ready: each segment of an established connection. Those without data are no
 * arrival. */
SEC("tp_btf/tcp_probe")
int on_segment(const __u64* args) {
  const struct sk_buff* segment = (const struct sk_buff*)args[1];
  __u8 data_offset = 0;
  bpf_probe_read_kernel(&data_offset, sizeof(data_offset), BPF_CORE_READ(segment, data) + FG_TCP_DATA_OFFSET);
  if (BPF_CORE_READ(segment, len) > (data_offset >> 4) * 4u) on_arrival((const struct sock*)args[0]);
  return 0;
}

/* The socket behind a file descriptor of the current thread; 0 if it is none. */
static __always_inline const struct sock* socket_at(__u32 fd) {
  const struct task_struct* task = (const void*)bpf_get_current_task_btf();
  const struct fdtable* table = BPF_CORE_READ(task, files, fdt);
  if (fd >= BPF_CORE_READ(table, max_fds)) return 0;
  struct file** files = BPF_CORE_READ(table, fd);
  const struct file* file = 0;
  if (bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file) return 0;
  if ((BPF_CORE_READ(file, f_inode, i_mode) & FG_S_IFMT) != FG_S_IFSOCK) return 0;
  const struct socket* socket = BPF_CORE_READ(file, private_data);
  return BPF_CORE_READ(socket, sk);
}

/* /sys/kernel/tracing/events/syscalls/sys_exit_read/format */
struct sys_exit {
  __u64 common;
  __s64 number;
  __s64 result;
};

static __always_inline void on_system_call(const struct sys_exit* call, enum fg_socket_event event) {
  if (call->result <= 0) return;
  struct fg_watched* watched = current_container();
  if (!watched) return;
  struct fg_buffers buffers = {};
  const struct sock* sk = socket_at(fg_call_buffers(&buffers));
  if (sk && is_tcp(sk) && !(buffers.flags & FG_MSG_PEEK)) on_call(sk, &buffers, event, watched, call->result);
}

/* Attached to read, readv, recvfrom and recvmsg. */
SEC("tracepoint")
int on_call_received(const struct sys_exit* call) {
  on_system_call(call, FG_SOCKET_RECEIVED);
  return 0;
}

/* Attached to write, writev, sendto, sendmsg and sendfile, whose bytes are out of reach. */
SEC("tracepoint")
int on_call_sent(const struct sys_exit* call) {
  on_system_call(call, FG_SOCKET_SENT);
  return 0;
}
