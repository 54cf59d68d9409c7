// memmem
#define _GNU_SOURCE

#include "CCurlConnection.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

static bool begins(const char *bytes, size_t count, const char *word) {
    size_t length = strlen(word);
    return count >= length && strncasecmp(bytes, word, length) == 0;
}

// Which command a line is. The lines of a login are secrets: they are looked at for their first letters only, and kept nowhere.
static void note_command(ccurl_connection *connection, const char *bytes, size_t count) {
    if (begins(bytes, count, "QUIT\r")) connection->leaves = true;
    else if (begins(bytes, count, "EHLO ") || begins(bytes, count, "HELO ")) {
        connection->stage = CCURL_MAIL_HELLO;
        connection->takes_utf8 = false;
    } else if (begins(bytes, count, "STARTTLS\r")) connection->stage = CCURL_MAIL_STARTTLS;
    else if (begins(bytes, count, "AUTH ")) connection->stage = CCURL_MAIL_LOGIN;
    else if (begins(bytes, count, "MAIL FROM:")) connection->stage = CCURL_MAIL_SENDER;
    else if (begins(bytes, count, "RCPT TO:")) connection->stage = CCURL_MAIL_RECIPIENT;
    else if (connection->stage == CCURL_MAIL_RECIPIENT && begins(bytes, count, "DATA\r")) connection->stage = CCURL_MAIL_DATA;
}

// Keeps one answer, which may have several lines: "250-…", "250-…", "250 …".
static void note_reply(ccurl_connection *connection, const char *bytes, size_t count) {
    while (count > 0 && (bytes[count - 1] == '\n' || bytes[count - 1] == '\r')) count--;
    if (count < 3) return;
    if (connection->stage == CCURL_MAIL_HELLO && count >= 12 && strncasecmp(bytes + 4, "SMTPUTF8", 8) == 0) connection->takes_utf8 = true;
    char *reply = connection->reply;
    size_t length = connection->reply_continues ? strlen(reply) : 0;
    connection->reply_continues = count > 3 && bytes[3] == '-';
    if (length > 0) {
        // The number and the dash stand in front already.
        if (length < sizeof connection->reply - 1) reply[length++] = ' ';
        bytes += count > 4 ? 4 : count;
        count -= count > 4 ? 4 : count;
    }
    size_t room = sizeof connection->reply - 1 - length;
    if (count > room) count = room;
    memcpy(reply + length, bytes, count);
    reply[length + count] = 0;
}

static int follow(CURL *easy, curl_infotype type, char *bytes, size_t count, void *context) {
    (void)easy;
    ccurl_connection *connection = context;
    switch (type) {
    case CURLINFO_HEADER_OUT: note_command(connection, bytes, count); break;
    case CURLINFO_HEADER_IN:
        if (!connection->leaves) note_reply(connection, bytes, count);
        break;
    case CURLINFO_DATA_OUT: connection->stage = CCURL_MAIL_CONTENT; break;
    case CURLINFO_TEXT:
        if (count < sizeof connection->alert && !connection->alert[0] && memmem(bytes, count, " alert ", 7)) {
            while (count > 0 && bytes[count - 1] == '\n') count--;
            memcpy(connection->alert, bytes, count);
            connection->alert[count] = 0;
        }
        break;
    default: break;
    }
    return 0;
}

static int note_socket(void *context, curl_socket_t descriptor, curlsocktype purpose) {
    (void)purpose;
    ccurl_connection *connection = context;
    pthread_mutex_lock(&connection->waking);
    for (int index = 0; index < CCURL_SOCKETS; index++) {
        if (connection->sockets[index] >= 0) continue;
        connection->sockets[index] = descriptor;
        break;
    }
    pthread_mutex_unlock(&connection->waking);
    return CURL_SOCKOPT_OK;
}

static int forget_socket(void *context, curl_socket_t descriptor) {
    ccurl_connection *connection = context;
    pthread_mutex_lock(&connection->waking);
    for (int index = 0; index < CCURL_SOCKETS; index++)
        if (connection->sockets[index] == descriptor) connection->sockets[index] = -1;
    int result = close(descriptor);
    pthread_mutex_unlock(&connection->waking);
    return result;
}

static size_t give(char *buffer, size_t size, size_t count, void *context) {
    ccurl_connection *connection = context;
    size_t left = connection->mail->content_count - connection->mail_position;
    size_t piece = size * count < left ? size * count : left;
    memcpy(buffer, connection->mail->content + connection->mail_position, piece);
    connection->mail_position += piece;
    return piece;
}

static CURLcode set_options(ccurl_connection *connection, const ccurl_mail *mail, struct curl_slist *recipients) {
    CURL *easy = connection->easy;
    CURLcode code = CURLE_OK;
#define SET(option, value) \
    do { \
        if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value); \
    } while (0)
    SET(CURLOPT_URL, mail->url);
    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_NOSIGNAL, 1L);
    // Without it, giving up while a name is looked up waits for the resolver.
    SET(CURLOPT_QUICK_EXIT, 1L);
    // A proxy of the environment is one for the web.
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_ERRORBUFFER, connection->text);
    SET(CURLOPT_VERBOSE, 1L);
    SET(CURLOPT_DEBUGFUNCTION, follow);
    SET(CURLOPT_DEBUGDATA, connection);
    SET(CURLOPT_SOCKOPTFUNCTION, note_socket);
    SET(CURLOPT_SOCKOPTDATA, connection);
    SET(CURLOPT_CLOSESOCKETFUNCTION, forget_socket);
    SET(CURLOPT_CLOSESOCKETDATA, connection);
    SET(CURLOPT_CONNECTTIMEOUT_MS, mail->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, mail->total_timeout_ms);
    // libcurl gives up after 120 s without an answer, and a server may look at a mail for longer.
    SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, (mail->total_timeout_ms + 999) / 1000);
    if (code == CURLE_OK) code = ccurl_set_tls(connection);
    SET(CURLOPT_USE_SSL, (long)(mail->requires_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (mail->user) SET(CURLOPT_USERNAME, mail->user);
    if (mail->user) SET(CURLOPT_PASSWORD, mail->password ? mail->password : "");
    SET(CURLOPT_FORBID_REUSE, mail->keeps_connection ? 0L : 1L);
    if (mail->content) {
        SET(CURLOPT_MAIL_FROM, mail->from);
        SET(CURLOPT_MAIL_RCPT, recipients);
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_READFUNCTION, give);
        SET(CURLOPT_READDATA, connection);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->content_count);
    } else {
        SET(CURLOPT_CUSTOMREQUEST, "NOOP");
        SET(CURLOPT_NOBODY, 1L);
    }
#undef SET
    return code;
}

ccurl_mail_response ccurl_send(ccurl_connection *connection, const ccurl_mail *mail) {
    connection->mail = mail;
    connection->mail_position = 0;
    connection->header = NULL;
    connection->stage = CCURL_MAIL_CONNECT;
    connection->reply_continues = connection->leaves = false;
    connection->reply[0] = connection->text[0] = connection->alert[0] = 0;
    // Keeps connections, names and TLS sessions; clears options.
    curl_easy_reset(connection->easy);

    struct curl_slist *recipients = mail->content ? curl_slist_append(NULL, mail->to) : NULL;
    CURLcode code = mail->content && !recipients ? CURLE_OUT_OF_MEMORY : set_options(connection, mail, recipients);
    if (code == CURLE_OK) code = ccurl_run_without_sigpipe(connection, ccurl_run);
    if (code != CURLE_OK && connection->alert[0]) memcpy(connection->text, connection->alert, sizeof connection->text);
    if (code != CURLE_OK && !connection->text[0]) {
        strncpy(connection->text, curl_easy_strerror(code), sizeof connection->text - 1);
        connection->text[sizeof connection->text - 1] = 0;
    }
    ccurl_mail_response response = {
        .outcome = code == CURLE_OK ? CCURL_OK : atomic_load(&connection->cancelled) ? CCURL_CANCELLED : CCURL_FAILED,
        .code = code,
        .timed_out = code == CURLE_OPERATION_TIMEDOUT,
        .stage = connection->stage,
        .reply = connection->reply,
        .takes_utf8 = connection->takes_utf8,
        .text = connection->text,
    };
    curl_easy_getinfo(connection->easy, CURLINFO_SSL_VERIFYRESULT, &response.verify_result);
    curl_easy_setopt(connection->easy, CURLOPT_MAIL_RCPT, NULL);
    // What follows belongs to this call only; a connection that is closed later must not be followed into it.
    curl_easy_setopt(connection->easy, CURLOPT_VERBOSE, 0L);
    curl_slist_free_all(recipients);
    connection->mail = NULL;
    return response;
}
