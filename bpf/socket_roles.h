/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What a socket is, by the first bytes of its calls. Compiled for the kernel and, for tests, for user space.
 */
#ifndef FLAMEGATE_SOCKET_ROLES_H
#define FLAMEGATE_SOCKET_ROLES_H

#include "http2_frames.h"

enum fg_role {
  FG_ROLE_UNKNOWN,
  FG_ROLE_SERVER,   /* of HTTP/1 */
  FG_ROLE_UPGRADED, /* it was, and has said 101: to HTTP/2, perhaps */
  FG_ROLE_HTTP2,    /* a server of it */
  FG_ROLE_OTHER,
  FG_ROLE_TLS,
};

/* The first bytes of the methods of RFC 9110 and 5789; fewer bytes may be the beginning of one. */
static __always_inline int fg_begins_request(__u32 word, __u32 bytes) {
  __u32 mask = bytes >= 4 ? ~0u : (1u << (8 * bytes)) - 1;
  word &= mask;
  return word == (0x20544547 & mask) /* "GET " */ || word == (0x54534f50 & mask) /* POST */ ||
         word == (0x20545550 & mask) /* "PUT " */ || word == (0x454c4544 & mask) /* DELE */ ||
         word == (0x44414548 & mask) /* HEAD */ || word == (0x43544150 & mask) /* PATC */ ||
         word == (0x4954504f & mask) /* OPTI */ || word == (0x43415254 & mask) /* TRAC */ ||
         word == (0x4e4e4f43 & mask) /* CONN */;
}

static __always_inline __u32 fg_word(const __u8* data) {
  return data[0] | data[1] << 8 | data[2] << 16 | (__u32)data[3] << 24;
}

static __always_inline int fg_begins_response(const __u8* data, __u32 bytes) {
  return bytes >= 4 && fg_word(data) == 0x50545448; /* HTTP */
}

static __always_inline int fg_begins_preface(const __u8* data, __u32 bytes) {
  return bytes >= 4 && fg_word(data) == 0x20495250; /* "PRI " */
}

/* HTTP/1.1 101: what follows is another protocol. */
static __always_inline int fg_switches_protocols(const __u8* data, __u32 bytes) {
  return fg_begins_response(data, bytes) && bytes >= 12 && data[9] == '1' && data[10] == '0' &&
         data[11] == '1';
}

/* A server of HTTP/2 begins with SETTINGS (RFC 9113, section 3.4); a client says the preface before. */
static __always_inline int fg_begins_settings(const __u8* data, __u32 bytes) {
  return bytes >= FG_FRAME_HEADER_BYTES && data[3] == FG_FRAME_SETTINGS && !data[4] &&
         !fg_frame_stream(data) && fg_frame_length(data) % 6 == 0 && fg_frame_length(data) < 256;
}

/* Pseudo fields come first (RFC 9113, section 8.3), those of the static table by their numbers in it: 1 to 7
 * are a request's, 8 to 14 a response's. Fields of the dynamic table, 62 and on, may come before a request's.
 */
static __always_inline int fg_is_request_field(__u8 byte) {
  return (byte >= 0x81 && byte <= 0x87) || (byte >= 0x41 && byte <= 0x47) || (byte >= 0x11 && byte <= 0x17) ||
         (byte >= 0x01 && byte <= 0x07);
}

static __always_inline int fg_is_response_field(__u8 byte) {
  return (byte >= 0x88 && byte <= 0x8e) || (byte >= 0x48 && byte <= 0x4e) || byte == 0x08 || byte == 0x18;
}

static __always_inline int fg_is_dynamic_field(__u8 byte) {
  return byte >= 0xbe && byte < 0xff;
}

/* Whether a call begins, where we came in the middle, with a whole HEADERS of a request or of a response. */
static __always_inline int fg_begins_headers(const __u8* data, __u32 bytes, int is_request) {
  if (bytes < FG_FRAME_HEADER_BYTES || data[3] != FG_FRAME_HEADERS) return 0;
  __u32 flags = data[4];
  __u32 length = fg_frame_length(data);
  if ((flags & ~0x25u) || !(flags & 4)) return 0; /* END_STREAM, END_HEADERS, PRIORITY; no padding */
  if (!(fg_frame_stream(data) & 1) || length > FG_BLOCK_BYTES) return 0;
  __u32 before = flags & 0x20 ? 5 : 0; /* the priority */
  __u32 fields = is_request ? 4 : 1;   /* one byte each, or more */
  if (length < before + fields || bytes < FG_FRAME_HEADER_BYTES + before + fields) return 0;
  const __u8* field = data + FG_FRAME_HEADER_BYTES + before;
  if (!is_request) return fg_is_response_field(field[0]);
  for (int i = 0; i < 4; i++) {
    if (fg_is_request_field(field[i])) return 1;
    if (!fg_is_dynamic_field(field[i])) return 0;
  }
  return 0;
}

/* What a call says of a socket that nothing is known of, or that has said 101; `was_seen`: it is not the
 * first call.
 *
 * who sends the first request line     → what the socket is
 * received from the peer               → it serves
 * sent to the peer                     → a client's
 * a response was sent                  → it serves; we came in the middle
 * the preface came, or SETTINGS go     → it serves HTTP/2
 * HEADERS of a request came, or those
 *   of a response go                   → it serves HTTP/2; we came in the middle
 * the other way round                  → a client's
 * a TLS handshake                      → cannot be read here
 * 101 was sent, and something else     → another protocol
 * anything else                        → unknown; asked again at each call
 */
static __always_inline __u32 fg_role_of(__u32 role, enum fg_socket_event event, int was_seen,
                                        const __u8* data, __u32 bytes) {
  int is_received = event == FG_SOCKET_RECEIVED;
  int may_begin = role == FG_ROLE_UPGRADED || !was_seen;
  if (may_begin && (is_received ? fg_begins_preface(data, bytes) : fg_begins_settings(data, bytes)))
    return FG_ROLE_HTTP2;
  if (role == FG_ROLE_UPGRADED) return FG_ROLE_OTHER;
  if (fg_begins_headers(data, bytes, 1)) return is_received ? FG_ROLE_HTTP2 : FG_ROLE_OTHER;
  if (fg_begins_headers(data, bytes, 0)) return is_received ? FG_ROLE_OTHER : FG_ROLE_HTTP2;
  if (!is_received) {
    if (fg_begins_preface(data, bytes) || fg_begins_request(fg_word(data), bytes)) return FG_ROLE_OTHER;
    return fg_begins_response(data, bytes) ? FG_ROLE_SERVER : FG_ROLE_UNKNOWN;
  }
  if (!was_seen && bytes >= 3 && data[0] == 0x16 && data[1] == 0x03) return FG_ROLE_TLS; /* of TLS 1.x */
  return fg_begins_request(fg_word(data), bytes) ? FG_ROLE_SERVER : FG_ROLE_UNKNOWN;
}

/* Behind the empty line that ends the head of a 101; 0 where it cannot be seen. Through memory, so that the
 * verifier does not follow each place where it may be. */
#define FG_LONGEST_101 256
static __always_inline void fg_end_of_head(const __u8* data, __u32 bytes, volatile __u32* end) {
  *end = 0;
  for (__u32 i = 12; i < FG_LONGEST_101; i++) {
    if (i + 4 > bytes) break;
    if (data[i] != '\r' || data[i + 1] != '\n' || data[i + 2] != '\r' || data[i + 3] != '\n') continue;
    *end = i + 4;
    break;
  }
}

/* From the first frame on; `sent_text` bytes of what is sent from here on are none. */
static __always_inline void fg_follow_whole(struct fg_frames* received, struct fg_frames* sent,
                                            __u32 sent_text) {
  received->text = FG_PREFACE_BYTES;
  received->followed = FG_FOLLOWED_WHOLE;
  sent->text = sent_text;
  sent->followed = FG_FOLLOWED_WHOLE;
}

/* A direction that is not followed is, from a call on that begins with HEADERS. */
static __always_inline int fg_join(struct fg_frames* frames, enum fg_socket_event event, const __u8* data,
                                   __u32 bytes) {
  if (!fg_begins_headers(data, bytes, event == FG_SOCKET_RECEIVED)) return 0;
  __builtin_memset(frames, 0, sizeof(*frames));
  frames->followed = FG_FOLLOWED_JOINED;
  return 1;
}

/* Of a socket that has just become one of HTTP/2. */
static __always_inline void fg_follow(struct fg_frames* received, struct fg_frames* sent,
                                      enum fg_socket_event event, const __u8* data, __u32 bytes) {
  int is_received = event == FG_SOCKET_RECEIVED;
  if (is_received ? fg_begins_preface(data, bytes) : fg_begins_settings(data, bytes)) {
    fg_follow_whole(received, sent, 0);
  } else {
    fg_join(is_received ? received : sent, event, data, bytes);
  }
}

#endif
