// The kernel's table of Unix sockets, asked through netlink (sock_diag(7)).
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef UDIAG_SHOW_UID
// Linux 5.3; the headers of Debian 11 lack it.
#define UDIAG_SHOW_UID 0x00000040
#define UNIX_DIAG_UID 7
#endif

// Asks for one number that the kernel knows of the socket with this inode. The answer is in the queue when sending returns.
static int ask(int diagnosis, uint32_t inode, uint32_t show, uint16_t wanted, uint32_t *value) {
    static _Atomic uint32_t counter;
    uint32_t sequence = ++counter;
    struct {
        struct nlmsghdr head;
        struct unix_diag_req body;
    } request;
    memset(&request, 0, sizeof request);
    request.head.nlmsg_len = sizeof request;
    request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.head.nlmsg_flags = NLM_F_REQUEST;
    request.head.nlmsg_seq = sequence;
    request.body.sdiag_family = AF_UNIX;
    request.body.udiag_states = UINT32_MAX;
    request.body.udiag_ino = inode;
    request.body.udiag_show = show;
    // No cookie: the inode is enough while the socket is open.
    request.body.udiag_cookie[0] = UINT32_MAX;
    request.body.udiag_cookie[1] = UINT32_MAX;
    struct sockaddr_nl kernel;
    memset(&kernel, 0, sizeof kernel);
    kernel.nl_family = AF_NETLINK;
    if (sendto(diagnosis, &request, sizeof request, MSG_NOSIGNAL, (struct sockaddr *)&kernel, sizeof kernel) < 0) return -1;

    union {
        struct nlmsghdr head;
        uint8_t bytes[4096];
    } answer;
    for (;;) {
        ssize_t size = recv(diagnosis, &answer, sizeof answer, MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return -1;
        if (!NLMSG_OK(&answer.head, (size_t)size) || answer.head.nlmsg_seq != sequence) continue;
        if (answer.head.nlmsg_type == NLMSG_ERROR) {
            struct nlmsgerr *error = NLMSG_DATA(&answer.head);
            errno = answer.head.nlmsg_len >= NLMSG_LENGTH(sizeof *error) && error->error < 0 ? -error->error : EPROTO;
            return -1;
        }
        if (answer.head.nlmsg_len < NLMSG_LENGTH(sizeof(struct unix_diag_msg))) break;
        struct unix_diag_msg *message = NLMSG_DATA(&answer.head);
        struct rtattr *attribute = (struct rtattr *)(void *)(message + 1);
        int left = (int)(answer.head.nlmsg_len - NLMSG_LENGTH(sizeof *message));
        for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
            if (attribute->rta_type != wanted || RTA_PAYLOAD(attribute) < sizeof *value) continue;
            memcpy(value, RTA_DATA(attribute), sizeof *value);
            return 0;
        }
        break;
    }
    errno = ENODATA;
    return -1;
}

int clinux_peer_owner(int diagnosis, int fd, uint32_t *uid) {
    struct stat status;
    if (fstat(fd, &status) != 0) return -1;
    if (!S_ISSOCK(status.st_mode)) {
        errno = ENOTSOCK;
        return -1;
    }
    uint32_t peer;
    if (ask(diagnosis, (uint32_t)status.st_ino, UDIAG_SHOW_PEER, UNIX_DIAG_PEER, &peer) != 0) return -1;
    return ask(diagnosis, peer, UDIAG_SHOW_UID, UNIX_DIAG_UID, uid);
}
