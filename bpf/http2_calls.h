/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Calls of HTTP/2: the way of each through the frames, and when its bytes had arrived. */
#ifndef FLAMEGATE_HTTP2_CALLS_H
#define FLAMEGATE_HTTP2_CALLS_H

#include "connection_records.h"

/* The runs so far, and how it goes on from here. */
static __always_inline void send_runs(const struct call* call, enum fg_socket_event event,
                                      struct http2* http2) {
  struct fg_socket_record* record = &call->scratch->record;
  __u64 used = call->scratch->walk.used;
  describe_call(call, event, call->moved, used);
  record->header.is_http2 = 1;
  record->header.received = http2->received.followed;
  record->header.sent = http2->sent.followed;
  __u64 bytes = sizeof(record->header) + used;
  if (!fg_bounded(bytes, sizeof(*record))) return; /* never; for the verifier */
  send(record, bytes);
  call->scratch->walk.used = 0;
}

/* The arrivals of the call's bytes, which leaves those of bytes behind them. */
static __always_inline void take_arrivals(const struct call* call, struct http2* http2) {
  struct fg_walk* walk = &call->scratch->walk;
  const struct tcp_sock* tcp = (const void*)call->sk;
  __u32 start = BPF_CORE_READ(tcp, copied_seq) - call->moved;
  for (int i = 0; i < FG_KEPT_ARRIVALS; i++) {
    __u32 first = http2->first_arrival;
    if (first == http2->next_arrival) break;
    const struct fg_arrival* arrival = &http2->arrivals[first & (FG_KEPT_ARRIVALS - 1)];
    __s32 end = arrival->end - start;
    __u32 count = walk->arrival_count;
    if (end > 0 && count < FG_KEPT_ARRIVALS) {
      walk->arrivals[count].time_ns = arrival->time_ns;
      walk->arrivals[count].end = end;
      walk->arrival_count = count + 1;
    }
    if (end > (__s32)call->moved) break;
    http2->first_arrival = first + 1;
  }
}

/* Two that follow each other become one, the earlier: of much that waits, times are coarser. */
static __always_inline void note_arrival(struct http2* http2, __u64 now_ns, __u32 end) {
  if (http2->next_arrival - http2->first_arrival >= FG_KEPT_ARRIVALS) {
    __u32 first = http2->first_arrival;
    for (__u32 i = 0; i < FG_KEPT_ARRIVALS / 2; i++) {
      struct fg_arrival* to = &http2->arrivals[(first + i) & (FG_KEPT_ARRIVALS - 1)];
      to->time_ns = http2->arrivals[(first + 2 * i) & (FG_KEPT_ARRIVALS - 1)].time_ns;
      to->end = http2->arrivals[(first + 2 * i + 1) & (FG_KEPT_ARRIVALS - 1)].end;
    }
    http2->next_arrival = first + FG_KEPT_ARRIVALS / 2;
  }
  struct fg_arrival* arrival = &http2->arrivals[http2->next_arrival & (FG_KEPT_ARRIVALS - 1)];
  arrival->time_ns = now_ns;
  arrival->end = end;
  http2->next_arrival++;
}

/* Steps of one call at most: a part or half a frame each. Before kernel 5.17 there is no bpf_loop, and the
 * verifier follows no more branches than a hundred steps have. */
#define MOST_STEPS 8192
#define MOST_STEPS_BEFORE 100

struct walking {
  const struct call* call;
  struct http2* http2;
  struct fg_frames* frames;
  __u64 event; /* enum fg_socket_event */
};

static long step_of(__u32 index, void* context) {
  struct walking* walking = context;
  struct scratch* scratch = walking->call->scratch;
  (void)index;
  enum fg_walked walked = fg_walk_step(walking->frames, &scratch->walk, scratch->record.data);
  if (walked != FG_WALK_FULL) return walked != FG_WALK_ON;
  send_runs(walking->call, walking->event, walking->http2);
  return 0;
}

static __always_inline void walk_frames(struct walking* walking) {
  if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop)) {
    bpf_loop(MOST_STEPS, step_of, walking, 0);
    return;
  }
#pragma clang loop unroll(disable)
  for (__u32 i = 0; i < MOST_STEPS_BEFORE; i++) {
    asm volatile("" ::: "memory");
    if (step_of(i, walking)) break;
  }
}

/* False where no frame's beginning is known. */
static __always_inline bool find_frames(const struct call* call, struct fg_frames* frames,
                                        enum fg_socket_event event) {
  if (frames->followed) return true;
  __u8* data = call->scratch->record.data;
  __u32 captured = fg_capture(data, &call->scratch->walk.parts, call->moved);
  if (fg_join(frames, event, data, captured)) return true;
  count(FG_SOCKET_CAUSE_UNFRAMED);
  count_hidden(call->watched, event, FG_ROLE_HTTP2);
  return false;
}

static __always_inline void on_frames(const struct call* call, struct http2* http2,
                                      enum fg_socket_event event) {
  struct fg_walk* walk = &call->scratch->walk;
  struct fg_frames* frames = event == FG_SOCKET_RECEIVED ? &http2->received : &http2->sent;
  if (!find_frames(call, frames, event)) return;
  walk->arrived_ns = call->arrived_ns;
  walk->arrival_count = walk->arrival = 0;
  walk->moved = call->moved;
  walk->done = walk->used = 0;
  if (event == FG_SOCKET_RECEIVED) take_arrivals(call, http2);
  struct walking walking = {call, http2, frames, event};
  walk_frames(&walking);
  bool is_lost = walk->done < walk->moved;
  if (is_lost) {
    count(FG_SOCKET_CAUSE_UNFRAMED);
    frames->followed = FG_FOLLOWED_NOT;
  }
  if (is_lost || walk->used) send_runs(call, event, http2);
}

static __always_inline struct http2* http2_of(const struct sock* sk) {
  __u64 key = (__u64)sk;
  return bpf_map_lookup_elem(&http2_connections, &key);
}

/* Null if there is no room. */
static __always_inline struct http2* new_http2(const struct call* call) {
  __u64 key = (__u64)call->sk;
  struct http2* fresh = &call->scratch->fresh; /* the stack is too small */
  __builtin_memset(fresh, 0, sizeof(*fresh));
  count(FG_SOCKET_CAUSE_HTTP2);
  call->connection->role = FG_ROLE_HTTP2;
  if (bpf_map_update_elem(&http2_connections, &key, fresh, BPF_ANY)) {
    count(FG_SOCKET_CAUSE_TABLE_FULL);
    call->connection->role = FG_ROLE_OTHER;
  }
  return http2_of(call->sk);
}

#endif
