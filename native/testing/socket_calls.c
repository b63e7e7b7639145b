/* For tests: a server on loopback that answers each request of a connection by another pair of system calls,
 * in this order: read and write, readv and writev, recvfrom (after a look at what is there) and sendto,
 * recvmsg and sendmsg, read and sendfile. Then it begins anew. Prints `listening PORT`; ends with its
 * connection. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static char request[4096];
static char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
static char body[] = "ok";

static ssize_t receive(int fd, int turn) {
  struct iovec parts[] = {{request, 3}, {request + 3, sizeof(request) - 3}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  switch (turn) {
    case 1:
      return readv(fd, parts, 2);
    case 2:
      recv(fd, request, sizeof(request), MSG_PEEK);
      return recv(fd, request, sizeof(request), 0);
    case 3:
      recvmsg(fd, &message, MSG_PEEK);
      return recvmsg(fd, &message, 0);
    default:
      return read(fd, request, sizeof(request));
  }
}

static ssize_t answer(int fd, int turn) {
  struct iovec parts[] = {{head, 5}, {NULL, 0}, {head + 5, sizeof(head) - 6}, {body, 2}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 4};
  switch (turn) {
    case 1:
      return writev(fd, parts, 4);
    case 2:
      return send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL) + send(fd, body, 2, MSG_NOSIGNAL);
    case 3:
      return sendmsg(fd, &message, MSG_NOSIGNAL);
    case 4: {
      int file = memfd_create("body", MFD_CLOEXEC);
      off_t offset = 0;
      ssize_t sent = write(file, body, 2);
      sent += write(fd, head, sizeof(head) - 1);
      sent += sendfile(fd, file, &offset, 2);
      close(file);
      return sent;
    }
    default:
      return write(fd, head, sizeof(head) - 1) + write(fd, body, 2);
  }
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(address);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr*)&address, size) || listen(listener, 1)) return 1;
  if (getsockname(listener, (struct sockaddr*)&address, &size)) return 1;
  printf("listening %d\n", ntohs(address.sin_port));
  fflush(stdout);
  int fd = accept(listener, NULL, NULL);
  for (int turn = 0; receive(fd, turn) > 0; turn = (turn + 1) % 5) {
    if (answer(fd, turn) < 0) return 1;
  }
  return 0;
}
