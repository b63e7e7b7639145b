/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What watched containers receive and send on TCP sockets that serve HTTP: of HTTP/1.1 the first bytes of
 * each call, of HTTP/2 the frames without their bodies, with lengths and when the bytes had arrived. It
 * filters, copies, stamps and counts; what is a request, user space finds out. Two sets of programs for the
 * same records, of which one is attached: at sockets, from kernel 6.3 on, tracepoints of the socket layer, so
 * nothing runs for anybody's other calls; before that at the end of each system call that may be a socket's,
 * which needs BTF (5.15) and tracefs. */
#include "connection_records.h"
#include "http2_calls.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* include/linux/socket.h; include/uapi/linux/stat.h */
enum { FG_S_IFMT = 0170000, FG_S_IFSOCK = 0140000, FG_MSG_PEEK = 2 };
/* RFC 9293: the upper half of this byte of the header counts its words. */
enum { FG_TCP_DATA_OFFSET = 12 };

/* After a 101: HTTP/2's first frames may be behind the head. Null if they are not. */
static __always_inline struct http2* upgraded(const struct call* call, __u32 captured) {
  struct scratch* scratch = call->scratch;
  fg_end_of_head(scratch->record.data, captured, &scratch->end_of_head);
  __u64 end = scratch->end_of_head;
  call->connection->role = end ? FG_ROLE_UPGRADED : FG_ROLE_OTHER;
  if (!end || end >= call->moved) return 0;
  bool is_http2 = fg_bounded(end, FG_LONGEST_101 + 4) &&
                  fg_begins_settings(scratch->record.data + end, end < captured ? captured - end : 0);
  call->connection->role = FG_ROLE_OTHER;
  struct http2* http2 = is_http2 ? new_http2(call) : 0;
  if (http2) fg_follow_whole(&http2->received, &http2->sent, end);
  return http2;
}

/* What the socket is, and what is to be done for it. Null where there are no frames to follow. */
static __always_inline struct http2* on_first_bytes(const struct call* call, enum fg_socket_event event) {
  struct connection* connection = call->connection;
  __u8* data = call->scratch->record.data;
  __builtin_memset(data, 0, 16);
  __u32 captured = fg_capture(data, &call->scratch->walk.parts, call->moved);
  if (!captured) count(FG_SOCKET_CAUSE_NO_BYTES);
  __u32 role = connection->role;
  if (role != FG_ROLE_SERVER) role = fg_role_of(role, event, connection->was_seen, data, captured);
  connection->was_seen = 1;
  connection->role = role;
  if (role == FG_ROLE_SERVER) {
    send_call(call, event, call->moved, captured);
    bool is_switch = event == FG_SOCKET_SENT && fg_switches_protocols(data, captured);
    return is_switch ? upgraded(call, captured) : 0;
  }
  if (role == FG_ROLE_HTTP2) {
    struct http2* http2 = new_http2(call);
    if (http2) fg_follow(&http2->received, &http2->sent, event, data, captured);
    return http2;
  }
  if (role == FG_ROLE_TLS) count(FG_SOCKET_CAUSE_TLS);
  count(role == FG_ROLE_UNKNOWN ? FG_SOCKET_CAUSE_UNKNOWN_PROTOCOL : FG_SOCKET_CAUSE_NOT_SERVING);
  count_hidden(call->watched, event, role);
  return 0;
}

static __always_inline void on_call(const struct sock* sk, struct scratch* scratch,
                                    enum fg_socket_event event, struct fg_watched* watched, __u32 moved) {
  __u64 now_ns = bpf_ktime_get_ns();
  struct connection* connection = connection_of(sk, watched->container, now_ns);
  if (!connection) return;
  if (connection->role >= FG_ROLE_OTHER) {
    count(FG_SOCKET_CAUSE_NOT_SERVING);
    count_hidden(watched, event, connection->role);
    return;
  }
  __u64 arrived_ns = event == FG_SOCKET_RECEIVED ? take_arrival(connection, sk, now_ns) : 0;
  struct call call = {sk, scratch, connection, watched, now_ns, arrived_ns, moved};
  struct http2* http2 = connection->role == FG_ROLE_HTTP2 ? http2_of(sk) : 0;
  if (!http2) http2 = on_first_bytes(&call, event);
  if (http2) on_frames(&call, http2, event);
}

static __always_inline struct fg_watched* current_container(void) {
  __u64 cgroup = bpf_get_current_cgroup_id();
  return bpf_map_lookup_elem(&targets, &cgroup);
}

static __always_inline struct scratch* new_scratch(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&scratches, &zero);
}

static __always_inline void on_socket_call(const struct sock* sk, enum fg_socket_event event, int result) {
  if (result <= 0) return;
  struct fg_watched* watched = current_container();
  if (!watched || !is_tcp(sk)) return;
  struct scratch* scratch = new_scratch();
  if (!scratch) return; /* never; for the verifier */
  fg_call_buffers(&scratch->walk.parts);
  on_call(sk, scratch, event, watched, result);
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
static __always_inline void on_arrival(const struct sock* sk, __u32 bytes_to_come) {
  __u64 cgroup = sk->sk_cgrp_data.cgroup->kn->id; /* not by a helper: it runs for each arrival of the node */
  struct fg_watched* watched = bpf_map_lookup_elem(&targets, &cgroup);
  if (!watched || !is_tcp(sk)) return;
  __u64 now_ns = bpf_ktime_get_ns();
  struct connection* connection = connection_of(sk, watched->container, now_ns);
  if (!connection) return;
  connection->last_arrival_ns = now_ns;
  if (!connection->first_unread_ns) connection->first_unread_ns = now_ns;
  struct http2* http2 = connection->role == FG_ROLE_HTTP2 ? http2_of(sk) : 0;
  const struct tcp_sock* tcp = (const void*)sk;
  if (http2) note_arrival(http2, now_ns, BPF_CORE_READ(tcp, rcv_nxt) + bytes_to_come);
}

SEC("tp_btf/sk_data_ready")
int on_data_ready(const __u64* args) {
  on_arrival((const struct sock*)args[0], 0);
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
  if (event && connection->sequence) { /* user space knows of it */
    struct fg_socket_record_header header;
    describe(&header, connection, key, event, bpf_ktime_get_ns());
    send(&header, sizeof(header));
  }
  /* A new socket at the address of one whose end was missed is not that one. */
  if (new_state == BPF_TCP_CLOSE || new_state == BPF_TCP_ESTABLISHED) {
    if (connection->role == FG_ROLE_HTTP2) bpf_map_delete_elem(&http2_connections, &key);
    bpf_map_delete_elem(&connections, &key);
  }
  return 0;
}

/* Where there is no sk_data_ready: each segment of an established connection. Those without data are no
 * arrival. */
SEC("tp_btf/tcp_probe")
int on_segment(const __u64* args) {
  const struct sk_buff* segment = (const struct sk_buff*)args[1];
  __u8 data_offset = 0;
  bpf_probe_read_kernel(&data_offset, sizeof(data_offset), BPF_CORE_READ(segment, data) + FG_TCP_DATA_OFFSET);
  __u32 header_bytes = (data_offset >> 4) * 4u;
  __u32 bytes = BPF_CORE_READ(segment, len);
  if (bytes > header_bytes) on_arrival((const struct sock*)args[0], bytes - header_bytes);
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
  struct scratch* scratch = new_scratch();
  if (!scratch) return; /* never; for the verifier */
  const struct sock* sk = socket_at(fg_call_buffers(&scratch->walk.parts));
  if (sk && is_tcp(sk) && !(scratch->walk.parts.flags & FG_MSG_PEEK))
    on_call(sk, scratch, event, watched, call->result);
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
