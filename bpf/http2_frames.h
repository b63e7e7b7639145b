/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Follows the frames of one direction of HTTP/2 (RFC 9113, section 4) through its calls, by their lengths
 * alone, so that header blocks are copied and bodies are not. What a frame means, user space finds out.
 * Compiled for the kernel and, for tests, for user space. */
#ifndef FLAMEGATE_HTTP2_FRAMES_H
#define FLAMEGATE_HTTP2_FRAMES_H

#include "call_parts.h"
#include "requests.h"

#define FG_PREFACE_BYTES 24
#define FG_KEPT_ARRIVALS 16

/* Which of them say something of requests. */
#define FG_TOLD_FRAMES                                                                                      \
  (1u << FG_FRAME_DATA | 1u << FG_FRAME_HEADERS | 1u << FG_FRAME_RST_STREAM | 1u << FG_FRAME_PUSH_PROMISE | \
   1u << FG_FRAME_GOAWAY | 1u << FG_FRAME_CONTINUATION)
#define FG_COPIED_OF_DATA 6 /* the length of padding, and the head of a gRPC message */
#define FG_COPIED_OF_OTHERS 8

struct fg_frames {
  __u64 arrived_ns; /* of the header under way */
  __u32 text;       /* bytes before the first frame: the preface, or the head of a 101 */
  __u32 left;       /* bytes of the payload that are still to come, */
  __u32 copy;       /* and those of them that are copied */
  __u32 block;      /* bytes of the header block that may still be copied */
  __u8 header[2 * FG_FRAME_HEADER_BYTES];
  __u8 known;    /* bytes of the header that have come */
  __u8 followed; /* enum fg_followed */
  __u8 is_told;
};

/* Bytes up to `end` had arrived by then: of a call, or of the stream in sequence numbers of TCP. */
struct fg_arrival {
  __u64 time_ns;
  __u32 end;
  __u32 unused;
};

/* One call, on its way through the frames. */
struct fg_walk {
  struct fg_parts parts;
  struct fg_arrival arrivals[FG_KEPT_ARRIVALS];
  __u32 arrival_count;
  __u32 arrival;    /* that of the next byte */
  __u64 arrived_ns; /* where there are none */
  __u32 moved;
  __u32 done; /* bytes of the call that are behind us */
  __u32 used; /* bytes of the record's data */
};

enum fg_walked {
  FG_WALK_ON,
  FG_WALK_DONE,
  FG_WALK_FULL, /* the record has to be sent first */
  FG_WALK_LOST, /* where the next frame begins is not known any more */
};

static __always_inline __u32 fg_frame_stream(const __u8* header) {
  return (header[5] & 0x7fu) << 24 | header[6] << 16 | header[7] << 8 | header[8];
}

static __always_inline __u32 fg_frame_length(const __u8* header) {
  return header[0] << 16 | header[1] << 8 | header[2];
}

/* Where we came in the middle, a wrong beginning shows by what no frame may be. */
static __always_inline int fg_is_frame(const __u8* header) {
  __u8 type = header[3];
  int is_of_connection = type == FG_FRAME_SETTINGS || type == FG_FRAME_PING || type == FG_FRAME_GOAWAY;
  int is_of_stream =
      type <= FG_FRAME_RST_STREAM || type == FG_FRAME_PUSH_PROMISE || type == FG_FRAME_CONTINUATION;
  if (type > FG_FRAME_LAST) return 0;
  if (fg_frame_stream(header)) return !is_of_connection;
  return !is_of_stream;
}

/* The part that the next byte is in. Read anew each time: so the verifier need not remember a bound. */
static __always_inline struct fg_part* fg_current_part(struct fg_walk* walk) {
  __u64 index = walk->parts.next;
  if (index >= walk->parts.count || !fg_bounded(index, FG_WINDOW_PARTS - 1)) return 0;
  return &walk->parts.at[index];
}

/* Likewise of the arrival; null where none was noted. */
static __always_inline const struct fg_arrival* fg_current_arrival(const struct fg_walk* walk) {
  __u64 index = walk->arrival;
  if (index >= walk->arrival_count || !fg_bounded(index, FG_KEPT_ARRIVALS - 1)) return 0;
  return &walk->arrivals[index];
}

static __always_inline void fg_pass(struct fg_walk* walk, __u64 bytes) {
  struct fg_part* part = fg_current_part(walk);
  if (!part) return; /* never; for the verifier */
  part->address += bytes;
  part->bytes -= bytes;
  walk->done += bytes;
}

/* A run's place in the record; there is room for one more below FG_FRAMES_BYTES. */
static __always_inline struct fg_run* fg_next_run(struct fg_walk* walk, __u8* data) {
  __u64 used = walk->used;
  if (!fg_bounded(used, FG_FRAMES_BYTES)) return 0;
  return (struct fg_run*)(data + used);
}

static __always_inline void fg_describe_run(struct fg_walk* walk, struct fg_run* run, __u64 arrived_ns,
                                            __u32 moved, __u32 captured, int is_header) {
  run->arrived_ns = arrived_ns;
  run->moved = moved;
  run->captured = captured;
  run->is_header = is_header;
  walk->used += sizeof(*run) + FG_RUN_FILLED(captured);
}

static __always_inline enum fg_walked fg_begin_frame(struct fg_frames* frames, struct fg_walk* walk,
                                                     __u8* data) {
  __u8 type = frames->header[3];
  __u32 length = fg_frame_length(frames->header);
  if (frames->followed == FG_FOLLOWED_JOINED && !fg_is_frame(frames->header)) return FG_WALK_LOST;
  frames->left = length;
  frames->is_told = type < 32 && (FG_TOLD_FRAMES >> type & 1);
  if (!frames->is_told) return FG_WALK_ON;
  if (type == FG_FRAME_HEADERS || type == FG_FRAME_PUSH_PROMISE) frames->block = FG_BLOCK_BYTES;
  if (type == FG_FRAME_HEADERS || type == FG_FRAME_PUSH_PROMISE || type == FG_FRAME_CONTINUATION) {
    frames->copy = length < frames->block ? length : frames->block;
    frames->block -= frames->copy;
  } else {
    frames->copy = type == FG_FRAME_DATA ? FG_COPIED_OF_DATA : FG_COPIED_OF_OTHERS;
  }
  struct fg_run* run = fg_next_run(walk, data);
  if (!run) return FG_WALK_LOST; /* never; for the verifier */
  __builtin_memcpy(run + 1, frames->header, FG_FRAME_HEADER_BYTES);
  fg_describe_run(walk, run, frames->arrived_ns, FG_FRAME_HEADER_BYTES, FG_FRAME_HEADER_BYTES, 1);
  return FG_WALK_ON;
}

static __always_inline enum fg_walked fg_walk_header(struct fg_frames* frames, struct fg_walk* walk,
                                                     __u8* data, __u64 address, __u64 bytes) {
  __u64 known = frames->known;
  if (!fg_bounded(known, FG_FRAME_HEADER_BYTES - 1)) return FG_WALK_LOST; /* never; for the verifier */
  __u64 step = FG_FRAME_HEADER_BYTES - known;
  if (step > bytes) step = bytes;
  if (!fg_bounded(step, FG_FRAME_HEADER_BYTES)) return FG_WALK_LOST;
  if (!known) {
    const struct fg_arrival* arrival = fg_current_arrival(walk);
    frames->arrived_ns = arrival ? arrival->time_ns : walk->arrived_ns;
  }
  if (FG_READ_USER(frames->header + known, step, address)) return FG_WALK_LOST;
  fg_pass(walk, step);
  frames->known = known + step;
  if (frames->known < FG_FRAME_HEADER_BYTES) return FG_WALK_ON;
  frames->known = 0;
  return fg_begin_frame(frames, walk, data);
}

static __always_inline enum fg_walked fg_walk_payload(struct fg_frames* frames, struct fg_walk* walk,
                                                      __u8* data, __u64 address, __u64 bytes) {
  __u64 step = bytes < frames->left ? bytes : frames->left;
  if (frames->is_told) {
    __u64 captured = step < frames->copy ? step : frames->copy;
    if (captured > FG_RUN_BYTES) captured = step = FG_RUN_BYTES;
    if (!fg_bounded(captured, FG_RUN_BYTES)) return FG_WALK_LOST; /* never; for the verifier */
    struct fg_run* run = fg_next_run(walk, data);
    if (!run) return FG_WALK_LOST;
    frames->copy -= captured;
    __u32 copied = captured;
    /* A page that is not there is no reason to lose the way. */
    if (captured && FG_READ_USER((__u8*)(run + 1), captured, address)) copied = 0;
    fg_describe_run(walk, run, 0, step, copied, 0);
  }
  frames->left -= step;
  fg_pass(walk, step);
  return FG_WALK_ON;
}

/* One step of the way. All that it knows is in memory: so the verifier has to look at one step only. */
static __always_inline enum fg_walked fg_walk_step(struct fg_frames* frames, struct fg_walk* walk,
                                                   __u8* data) {
  if (walk->done >= walk->moved) return FG_WALK_DONE;
  if (walk->used > FG_FRAMES_BYTES) return FG_WALK_FULL;
  const struct fg_arrival* arrival = fg_current_arrival(walk);
  if (arrival && walk->arrival + 1 < walk->arrival_count && walk->done >= arrival->end) {
    walk->arrival++;
    return FG_WALK_ON;
  }
  const struct fg_part* part = fg_current_part(walk);
  if (!part) return fg_next_window(&walk->parts) ? FG_WALK_ON : FG_WALK_LOST;
  __u64 bytes = part->bytes;
  __u64 address = part->address;
  if (bytes > walk->moved - walk->done) bytes = walk->moved - walk->done;
  if (!bytes) {
    walk->parts.next++;
    return FG_WALK_ON;
  }
  if (frames->text) {
    __u64 step = bytes < frames->text ? bytes : frames->text;
    frames->text -= step;
    fg_pass(walk, step);
    return FG_WALK_ON;
  }
  if (frames->left) return fg_walk_payload(frames, walk, data, address, bytes);
  return fg_walk_header(frames, walk, data, address, bytes);
}

#endif
