// What requests and mails have in common; not seen from Swift.
#pragma once

#include "CCurl.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

// libcurl tries two addresses of a host at a time.
enum { CCURL_SOCKETS = 4 };

struct ccurl_connection {
    CURLM *multi;
    CURL *easy;
    char *unix_socket;
    char *authority_file;
    char *certificate_file;
    char *key_file;
    char *revocation_file;
    char *proxy;
    atomic_bool cancelled;
    // Held where another thread may want to wake `multi` while it is replaced.
    pthread_mutex_t waking;

    uint8_t *body;
    size_t body_count;
    size_t body_capacity;
    const ccurl_request *request;
    bool too_large;
    bool receiver_stopped;
    int sends;
    struct curl_header *header;
    char text[CURL_ERROR_SIZE];
    char alert[CURL_ERROR_SIZE];

    // Of mails.
    enum ccurl_mail_stage stage;
    bool takes_utf8;
    char reply[512];
    bool reply_continues;
    // QUIT was said: what is answered to it is of no interest.
    bool leaves;
    // Open ones, -1 elsewhere; held with `waking`, because a stop shuts them down.
    int sockets[CCURL_SOCKETS];
    const ccurl_mail *mail;
    size_t mail_position;
};

// Versions and files; after the options were reset.
CURLcode ccurl_set_tls(ccurl_connection *connection);
CURLcode ccurl_run(ccurl_connection *connection);
// OpenSSL writes with write(2): a peer that went away would raise SIGPIPE, which ends a process that does not ignore it.
CURLcode ccurl_run_without_sigpipe(ccurl_connection *connection, CURLcode (*run)(ccurl_connection *));
