#include "CCurl.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ccurl_connection {
    CURLM *multi;
    CURL *easy;
    char *unix_socket;
    char *authority_file;
    atomic_bool cancelled;

    uint8_t *body;
    size_t body_count;
    size_t body_capacity;
    const ccurl_request *request;
    bool too_large;
    bool receiver_stopped;
    struct curl_header *header;
    char text[CURL_ERROR_SIZE];
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void start_libcurl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static char *copy(const char *text) {
    return text ? strdup(text) : NULL;
}

ccurl_connection *ccurl_connection_create(const char *unix_socket, const char *authority_file) {
    pthread_once(&global_once, start_libcurl);
    ccurl_connection *connection = calloc(1, sizeof *connection);
    if (!connection) return NULL;
    atomic_init(&connection->cancelled, false);
    connection->multi = curl_multi_init();
    connection->easy = curl_easy_init();
    connection->unix_socket = copy(unix_socket);
    connection->authority_file = copy(authority_file);
    if (!connection->multi || !connection->easy || (unix_socket && !connection->unix_socket)
        || (authority_file && !connection->authority_file)) {
        ccurl_connection_destroy(connection);
        return NULL;
    }
    return connection;
}

void ccurl_connection_destroy(ccurl_connection *connection) {
    if (connection->easy) curl_easy_cleanup(connection->easy);
    if (connection->multi) curl_multi_cleanup(connection->multi);
    free(connection->unix_socket);
    free(connection->authority_file);
    free(connection->body);
    free(connection);
}

void ccurl_cancel(ccurl_connection *connection) {
    atomic_store(&connection->cancelled, true);
    curl_multi_wakeup(connection->multi);
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
    SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, request->total_timeout_ms);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    if (connection->authority_file) SET(CURLOPT_CAINFO, connection->authority_file);
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

static CURLcode run(ccurl_connection *connection) {
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

// OpenSSL writes with write(2): a peer that went away would raise SIGPIPE, which ends a process that does not ignore it.
static CURLcode run_without_sigpipe(ccurl_connection *connection) {
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
    connection->header = NULL;
    connection->text[0] = 0;
    // Keeps connections, names and TLS sessions; clears options.
    curl_easy_reset(connection->easy);

    ccurl_response response = {.outcome = CCURL_FAILED, .code = CURLE_OUT_OF_MEMORY, .text = connection->text};
    bool complete;
    struct curl_slist *headers = list_headers(request, &complete);
    CURLcode code = complete ? set_options(connection, request, headers) : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK) code = run_without_sigpipe(connection);

    response.code = code;
    response.timed_out = code == CURLE_OPERATION_TIMEDOUT;
    curl_easy_getinfo(connection->easy, CURLINFO_RESPONSE_CODE, &response.status);
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
