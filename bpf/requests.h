/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What bpf/requests.bpf.c and native/ agree on: nothing but types and bounds. A change of any of them is a
 * new version. */
#ifndef FLAMEGATE_REQUESTS_H
#define FLAMEGATE_REQUESTS_H

#include <linux/types.h>

#ifdef __cplusplus
#define FG_REQUESTS_ASSERT static_assert
#else
#define FG_REQUESTS_ASSERT _Static_assert
#endif

#define FG_REQUESTS_ABI_VERSION 4

/* What is copied of one call at most. Heads of requests seen between services have 100 to 800 bytes, those of
 * browsers up to 4 KB, of which only the first line and the framing matter. */
#define FG_CAPTURED_BYTES 1024
/* Netty gathers a head and its body in one call, a chunk in three parts. */
#define FG_CAPTURED_PARTS 4
/* Runs of HTTP/2 in one record at most, and the bytes of one run; a call may be several records. A unary
 * answer of gRPC takes some 200 bytes. */
#define FG_FRAMES_BYTES 8192
#define FG_RUN_BYTES 2048
/* Of a header block nobody needs more: servers refuse longer ones. */
#define FG_BLOCK_BYTES 16384

enum fg_socket_event {
  FG_SOCKET_RECEIVED = 1, /* the application took bytes out of the socket */
  FG_SOCKET_SENT,         /* it gave bytes to the socket */
  FG_SOCKET_PEER_CLOSED,  /* the peer will send no more */
  FG_SOCKET_CLOSED,       /* we will send no more */
  FG_SOCKET_ENDED,        /* the socket is gone */
  FG_SOCKET_ABORTED,      /* and it ended by a reset or a timeout, from either side */
};

enum fg_socket_cause {
  FG_SOCKET_CAUSE_RECORDS,     /* everything that was to be sent to user space */
  FG_SOCKET_CAUSE_RING_FULL,   /* and could not */
  FG_SOCKET_CAUSE_TABLE_FULL,  /* a call on a socket there was no room for */
  FG_SOCKET_CAUSE_NO_BYTES,    /* a call whose bytes are out of reach: sendfile, io_uring, a page not there */
  FG_SOCKET_CAUSE_NOT_SERVING, /* a call on a socket that serves nobody: a client's */
  FG_SOCKET_CAUSE_UNKNOWN_PROTOCOL, /* a call on a socket on which no request was seen yet */
  FG_SOCKET_CAUSE_TLS,              /* sockets that began with a TLS handshake */
  FG_SOCKET_CAUSE_HTTP2,            /* sockets that serve HTTP/2 */
  FG_SOCKET_CAUSE_UNFRAMED,         /* calls of HTTP/2 in which no frame's beginning is known */
  FG_SOCKET_CAUSE_COUNT,
};

/* Set before load. */
struct fg_requests_knobs {
  __u32 abi_version;
  __u32
      wakeup_bytes; /* user space is woken when so much is in the ring, and looks from time to time anyhow */
};
FG_REQUESTS_ASSERT(sizeof(struct fg_requests_knobs) == 8, "knobs are ABI");

/* One per CPU. */
struct fg_requests_counters {
  __u64 by_cause[FG_SOCKET_CAUSE_COUNT];
};
FG_REQUESTS_ASSERT(sizeof(struct fg_requests_counters) == 9 * 8, "counters are ABI");

/* Where a container receives what cannot be read here. */
enum fg_hidden {
  FG_HIDDEN_TLS,   /* it serves TLS */
  FG_HIDDEN_HTTP2, /* it serves HTTP/2, and we came in the middle */
  FG_HIDDEN_OTHER, /* nobody knows what it is, nor which end serves */
  FG_HIDDEN_COUNT,
};

/* The value under the cgroup v2 id of a watched container. */
struct fg_watched {
  __u32 container; /* the caller's number for it */
  __u32 unused;
  __u64 hidden[FG_HIDDEN_COUNT]; /* receiving calls, counted by the kernel's part */
};
FG_REQUESTS_ASSERT(sizeof(struct fg_watched) == 8 + 3 * 8, "targets are ABI");

/* Frames of HTTP/2 (RFC 9113, section 6). */
#define FG_FRAME_HEADER_BYTES 9
enum fg_frame_type {
  FG_FRAME_DATA = 0,
  FG_FRAME_HEADERS = 1,
  FG_FRAME_RST_STREAM = 3,
  FG_FRAME_SETTINGS = 4,
  FG_FRAME_PUSH_PROMISE = 5,
  FG_FRAME_PING = 6,
  FG_FRAME_GOAWAY = 7,
  FG_FRAME_CONTINUATION = 9,
  FG_FRAME_LAST = 16, /* PRIORITY_UPDATE, the last that is registered */
};

/* How far the frames of a direction are followed. */
enum fg_followed {
  FG_FOLLOWED_NOT,
  FG_FOLLOWED_JOINED, /* we came in the middle */
  FG_FOLLOWED_WHOLE,  /* from the first frame on */
};

/* Times are of CLOCK_MONOTONIC. Followed by `captured` bytes: of HTTP/1 the first ones of the call, of HTTP/2
 * runs. */
struct fg_socket_record_header {
  __u16 version;
  __u16 event; /* enum fg_socket_event */
  __u32 container;
  __u64 socket;     /* the same for as long as the socket lives; another one's afterwards */
  __u64 born_ns;    /* when it was seen first: with `socket` it names a connection */
  __u64 time_ns;    /* when the call was over */
  __u64 arrived_ns; /* of RECEIVED: when the first of the bytes reached the socket, or 0 if nobody saw that */
  __u32 sequence;   /* counts the records of the connection, the lost ones included */
  __u32 length;     /* bytes the call moved */
  __u32 captured;
  __u8 is_peer_closed; /* the peer had already said that it will send no more */
  __u8 is_http2;
  __u8 received; /* of HTTP/2, after the call: enum fg_followed of what comes and of what goes */
  __u8 sent;
  __u32 process; /* who called, by the ids of the initial namespace; 0 where the socket ended by itself */
  __u32 thread;
  __u64 stopped_ns; /* that the JVM of the process had stood still in its life, and one; 0 where it does not
                       tell */
};
FG_REQUESTS_ASSERT(sizeof(struct fg_socket_record_header) == 72, "records are ABI");

/* Bytes of HTTP/2 that follow each other, of which the first `captured` come behind, filled up to a multiple
 * of 8. A frame is a run of its header, then runs of its payload; frames that say nothing of requests are
 * left out. */
struct fg_run {
  __u64 arrived_ns; /* of a header that was received: when its first byte reached the socket */
  __u32 moved;
  __u16 captured;
  __u16 is_header;
};
FG_REQUESTS_ASSERT(sizeof(struct fg_run) == 16, "runs are ABI");
#define FG_RUN_FILLED(captured) (((captured) + 7) & ~7u)

struct fg_socket_record {
  struct fg_socket_record_header header;
  /* Room behind, for the verifier bounds where a part or a run begins and how long it is apart, not their
   * sum. */
  __u8 data[FG_FRAMES_BYTES + sizeof(struct fg_run) + FG_RUN_BYTES];
};
FG_REQUESTS_ASSERT(sizeof(struct fg_socket_record) == 72 + 10256, "records are ABI");

#endif
