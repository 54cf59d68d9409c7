// memmem
#define _GNU_SOURCE

#include "CCurlConnection.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

// How long a TLS alert is waited for.
enum { CCURL_ALERT_MS = 2000 };

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void start_libcurl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool copy(const char *text, char **target) {
    *target = text ? strdup(text) : NULL;
    return !text || *target;
}

ccurl_connection *ccurl_connection_create(const ccurl_settings *settings) {
    pthread_once(&global_once, start_libcurl);
    ccurl_connection *connection = calloc(1, sizeof *connection);
    if (!connection) return NULL;
    atomic_init(&connection->cancelled, false);
    pthread_mutex_init(&connection->waking, NULL);
    for (int index = 0; index < CCURL_SOCKETS; index++) connection->sockets[index] = -1;
    connection->multi = curl_multi_init();
    connection->easy = curl_easy_init();
    bool complete = connection->multi && connection->easy;
    complete = copy(settings->unix_socket, &connection->unix_socket) && complete;
    complete = copy(settings->authority_file, &connection->authority_file) && complete;
    complete = copy(settings->certificate_file, &connection->certificate_file) && complete;
    complete = copy(settings->key_file, &connection->key_file) && complete;
    complete = copy(settings->revocation_file, &connection->revocation_file) && complete;
    complete = copy(settings->proxy, &connection->proxy) && complete;
    if (complete) return connection;
    ccurl_connection_destroy(connection);
    return NULL;
}

void ccurl_connection_destroy(ccurl_connection *connection) {
    if (connection->easy) curl_easy_cleanup(connection->easy);
    if (connection->multi) curl_multi_cleanup(connection->multi);
    pthread_mutex_destroy(&connection->waking);
    free(connection->unix_socket);
    free(connection->authority_file);
    free(connection->certificate_file);
    free(connection->key_file);
    free(connection->revocation_file);
    free(connection->proxy);
    free(connection->body);
    free(connection);
}

bool ccurl_forget(ccurl_connection *connection) {
    CURLM *multi = curl_multi_init();
    CURL *easy = curl_easy_init();
    if (!multi || !easy) {
        if (easy) curl_easy_cleanup(easy);
        if (multi) curl_multi_cleanup(multi);
        return false;
    }
    curl_easy_cleanup(connection->easy);
    connection->easy = easy;
    connection->header = NULL;
    pthread_mutex_lock(&connection->waking);
    CURLM *old = connection->multi;
    connection->multi = multi;
    pthread_mutex_unlock(&connection->waking);
    curl_multi_cleanup(old);
    return true;
}

void ccurl_cancel(ccurl_connection *connection) {
    atomic_store(&connection->cancelled, true);
    pthread_mutex_lock(&connection->waking);
    curl_multi_wakeup(connection->multi);
    // libcurl says goodbye to a mail server, and waits for its answer, when it is told to give up.
    for (int index = 0; index < CCURL_SOCKETS; index++)
        if (connection->sockets[index] >= 0) shutdown(connection->sockets[index], SHUT_RDWR);
    pthread_mutex_unlock(&connection->waking);
}

static bool keep(ccurl_connection *connection, const char *bytes, size_t count) {
    if (count > connection->request->maximum_body - connection->body_count) {
        connection->too_large = true;
        return false;
    }
    size_t needed = connection->body_count + count;
    if (needed > connection->body_capacity) {
        size_t capacity = connection->body_capacity ? connection->body_capacity : 4096;
        while (capacity < needed) capacity *= 2;
        uint8_t *larger = realloc(connection->body, capacity);
        if (!larger) return false;
        connection->body = larger;
        connection->body_capacity = capacity;
    }
    memcpy(connection->body + connection->body_count, bytes, count);
    connection->body_count = needed;
    return true;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    ccurl_connection *connection = context;
    size_t total = size * count;
    const ccurl_request *request = connection->request;
    if (request->receiver) {
        long status = 0;
        curl_easy_getinfo(connection->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status >= 200 && status < 300) {
            if (request->receiver(request->receiver_context, (const uint8_t *)bytes, total)) return total;
            connection->receiver_stopped = true;
            return 0;
        }
    }
    return keep(connection, bytes, total) ? total : 0;
}

static int count_send(void *context, char *to, char *from, int to_port, int from_port) {
    (void)to, (void)from, (void)to_port, (void)from_port;
    ((ccurl_connection *)context)->sends++;
    return CURL_PREREQFUNC_OK;
}

CURLcode ccurl_set_tls(ccurl_connection *connection) {
    CURL *easy = connection->easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
#define SET(option, value) \
    do { \
        if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value); \
    } while (0)
    if (connection->authority_file) SET(CURLOPT_CAINFO, connection->authority_file);
    if (connection->certificate_file) SET(CURLOPT_SSLCERT, connection->certificate_file);
    // The key may stand in the same file.
    if (connection->certificate_file) SET(CURLOPT_SSLKEY, connection->key_file ? connection->key_file : connection->certificate_file);
    if (connection->revocation_file) SET(CURLOPT_CRLFILE, connection->revocation_file);
#undef SET
    return code;
}

static CURLcode set_options(ccurl_connection *connection, const ccurl_request *request, struct curl_slist *headers) {
    CURL *easy = connection->easy;
    CURLcode code = CURLE_OK;
#define SET(option, value) \
    do { \
        if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value); \
    } while (0)
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_NOSIGNAL, 1L);
    // Without it, giving up while a name is looked up waits for the resolver.
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_ERRORBUFFER, connection->text);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, connection);
    SET(CURLOPT_PREREQFUNCTION, count_send);
    SET(CURLOPT_PREREQDATA, connection);
    SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, request->total_timeout_ms);
    if (request->stall_s > 0) {
        SET(CURLOPT_LOW_SPEED_LIMIT, (long)CCURL_STALLED);
        SET(CURLOPT_LOW_SPEED_TIME, request->stall_s);
    }
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    if (code == CURLE_OK) code = ccurl_set_tls(connection);
    if (connection->proxy) SET(CURLOPT_PROXY, connection->proxy);
    if (connection->unix_socket) {
        SET(CURLOPT_UNIX_SOCKET_PATH, connection->unix_socket);
        SET(CURLOPT_NOPROXY, "*");
    }
    if (request->body) {
        SET(CURLOPT_POSTFIELDS, (const char *)request->body);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_count);
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    } else if (strcmp(request->method, "POST") == 0) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
    } else if (strcmp(request->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
    } else if (strcmp(request->method, "GET") != 0) {
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    }
#undef SET
    return code;
}

static struct curl_slist *list_headers(const ccurl_request *request, bool *complete) {
    // libcurl would wait up to a second for "100 Continue" before it sends a large body.
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    *complete = list != NULL;
    for (size_t index = 0; index < request->header_count && *complete; index++) {
        struct curl_slist *longer = curl_slist_append(list, request->headers[index]);
        if (longer) list = longer;
        else *complete = false;
    }
    return list;
}

CURLcode ccurl_run(ccurl_connection *connection) {
    CURLMcode status = curl_multi_add_handle(connection->multi, connection->easy);
    CURLcode code = CURLE_FAILED_INIT;
    int running = 1;
    while (status == CURLM_OK && running) {
        if (atomic_load(&connection->cancelled)) {
            code = CURLE_ABORTED_BY_CALLBACK;
            break;
        }
        status = curl_multi_perform(connection->multi, &running);
        if (status == CURLM_OK && running) status = curl_multi_poll(connection->multi, NULL, 0, 1000, NULL);
    }
    if (!running) {
        int left = 0;
        CURLMsg *message;
        while ((message = curl_multi_info_read(connection->multi, &left)))
            if (message->msg == CURLMSG_DONE && message->easy_handle == connection->easy) code = message->data.result;
    }
    curl_multi_remove_handle(connection->multi, connection->easy);
    return code;
}

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Into the error buffer libcurl writes the first of its complaints only, and an alert may be the second.
static int keep_alert(CURL *easy, curl_infotype type, char *words, size_t count, void *context) {
    (void)easy;
    ccurl_connection *connection = context;
    if (type != CURLINFO_TEXT || count >= sizeof connection->alert || connection->alert[0] || !memmem(words, count, " alert ", 7)) return 0;
    while (count > 0 && words[count - 1] == '\n') count--;
    memcpy(connection->alert, words, count);
    connection->alert[count] = 0;
    return 0;
}

// A server that takes no client without a certificate says so in TLS 1.3 after the client's first words are on their way, and what it says
// may be lost in the reset that they cause. To a connection on which nothing is sent it is heard.
static CURLcode listen_for_alert(ccurl_connection *connection) {
    CURL *easy = connection->easy;
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, keep_alert);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, connection);
    CURLMcode status = curl_multi_add_handle(connection->multi, easy);
    CURLcode code = CURLE_FAILED_INIT;
    bool connected = false;
    long end = now_ms() + CCURL_ALERT_MS;
    while (status == CURLM_OK && !atomic_load(&connection->cancelled) && now_ms() < end) {
        if (connected) {
            char byte;
            size_t count;
            code = curl_easy_recv(easy, &byte, 1, &count);
            if (code != CURLE_AGAIN) break;
            curl_socket_t socket = CURL_SOCKET_BAD;
            curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &socket);
            struct pollfd entry = {.fd = socket, .events = POLLIN};
            poll(&entry, 1, 50);
            continue;
        }
        int running = 0, left = 0;
        status = curl_multi_perform(connection->multi, &running);
        CURLMsg *message;
        while ((message = curl_multi_info_read(connection->multi, &left))) {
            if (message->msg != CURLMSG_DONE) continue;
            code = message->data.result;
            connected = code == CURLE_OK;
        }
        if (connected) continue;
        if (!running) break;
        if (status == CURLM_OK) status = curl_multi_poll(connection->multi, NULL, 0, 50, NULL);
    }
    curl_multi_remove_handle(connection->multi, easy);
    return code;
}

static bool may_hide_alert(ccurl_connection *connection, CURLcode code) {
    bool ended = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING || code == CURLE_SSL_CONNECT_ERROR;
    return ended && strncmp(connection->request->url, "https://", 8) == 0 && !strstr(connection->text, " alert ");
}

// OpenSSL writes with write(2): a peer that went away would raise SIGPIPE, which ends a process that does not ignore it.
CURLcode ccurl_run_without_sigpipe(ccurl_connection *connection, CURLcode (*run)(ccurl_connection *)) {
    sigset_t pipe_only, before, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    CURLcode code = run(connection);
    if (!was_pending) {
        struct timespec now = {0, 0};
        while (sigtimedwait(&pipe_only, NULL, &now) == SIGPIPE) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

ccurl_response ccurl_perform(ccurl_connection *connection, const ccurl_request *request) {
    connection->request = request;
    connection->body_count = 0;
    connection->too_large = false;
    connection->receiver_stopped = false;
    connection->sends = 0;
    connection->header = NULL;
    connection->text[0] = 0;
    // Keeps connections, names and TLS sessions; clears options.
    curl_easy_reset(connection->easy);

    ccurl_response response = {.outcome = CCURL_FAILED, .code = CURLE_OUT_OF_MEMORY, .text = connection->text};
    bool complete;
    struct curl_slist *headers = list_headers(request, &complete);
    CURLcode code = complete ? set_options(connection, request, headers) : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK) code = ccurl_run_without_sigpipe(connection, ccurl_run);
    if (may_hide_alert(connection, code)) {
        char text[CURL_ERROR_SIZE];
        memcpy(text, connection->text, sizeof text);
        connection->alert[0] = 0;
        ccurl_run_without_sigpipe(connection, listen_for_alert);
        bool heard = connection->alert[0] != 0;
        if (heard) code = CURLE_RECV_ERROR;
        memcpy(connection->text, heard ? connection->alert : text, sizeof text);
    }

    response.code = code;
    response.sends = connection->sends;
    response.timed_out = code == CURLE_OPERATION_TIMEDOUT;
    curl_easy_getinfo(connection->easy, CURLINFO_RESPONSE_CODE, &response.status);
    curl_easy_getinfo(connection->easy, CURLINFO_SSL_VERIFYRESULT, &response.verify_result);
    response.body = connection->body;
    response.body_count = connection->body_count;
    if (code == CURLE_OK) response.outcome = CCURL_OK;
    else if (connection->receiver_stopped) response.outcome = CCURL_RECEIVER_STOPPED;
    else if (connection->too_large) response.outcome = CCURL_TOO_LARGE;
    else if (atomic_load(&connection->cancelled)) response.outcome = CCURL_CANCELLED;
    if (code != CURLE_OK && connection->text[0] == 0) {
        strncpy(connection->text, curl_easy_strerror(code), sizeof connection->text - 1);
        connection->text[sizeof connection->text - 1] = 0;
    }
    // The list and the body belong to this call only.
    curl_easy_setopt(connection->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(connection->easy, CURLOPT_POSTFIELDS, NULL);
    curl_slist_free_all(headers);
    connection->request = NULL;
    return response;
}

size_t ccurl_next_header(ccurl_connection *connection, size_t position, const char **name, const char **value) {
    if (position == 0) connection->header = NULL;
    connection->header = curl_easy_nextheader(connection->easy, CURLH_HEADER, -1, connection->header);
    if (!connection->header) return 0;
    *name = connection->header->name;
    *value = connection->header->value;
    return position + 1;
}
