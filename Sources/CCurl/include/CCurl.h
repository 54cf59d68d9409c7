// A small face of libcurl for Swift, which cannot call the variadic curl_easy_setopt.
//
// One ccurl_connection is an easy handle in a multi handle of its own: requests on it block the caller, one at a time, and reuse
// the connection. The multi handle is there for one reason: curl_multi_wakeup lets another thread end a request at once, where the
// progress callback of an easy handle may come a second late.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ccurl_connection ccurl_connection;

/// Takes a piece of a response; anything but true ends the request.
typedef bool (*ccurl_receiver)(void *_Nullable context, const uint8_t *_Nonnull bytes, size_t count);

typedef struct {
    const char *_Nonnull method;
    const char *_Nonnull url;
    /// "Name: value", without line ends.
    const char *_Nullable const *_Nullable headers;
    size_t header_count;
    /// Sent as it is; not copied. NULL: no body.
    const uint8_t *_Nullable body;
    size_t body_count;
    long connect_timeout_ms;
    /// For the whole request; 0: none.
    long total_timeout_ms;
    /// How long less than CCURL_STALLED bytes a second may come and go; 0: as long as it takes.
    long stall_s;
    /// The largest response body that is kept; a larger one ends the request.
    size_t maximum_body;
    /// Takes the body of a 2xx answer instead of it being kept; may be NULL.
    ccurl_receiver _Nullable receiver;
    void *_Nullable receiver_context;
} ccurl_request;

/// Slower than this is a connection of which only our end is left, in bytes a second.
enum { CCURL_STALLED = 10 };

enum ccurl_outcome {
    CCURL_OK,
    /// libcurl failed: see code and text.
    CCURL_FAILED,
    CCURL_CANCELLED,
    /// The response was larger than maximum_body.
    CCURL_TOO_LARGE,
    /// The receiver wanted no more.
    CCURL_RECEIVER_STOPPED
};

typedef struct {
    enum ccurl_outcome outcome;
    /// The CURLcode.
    int code;
    bool timed_out;
    /// The HTTP status; 0: none came.
    long status;
    /// How often the request was begun to be sent: libcurl sends it again by itself when a connection that it had kept ends without a word.
    int sends;
    /// How the check of the server's certificate ended: 0, or an X509_V_ERR code of OpenSSL.
    long verify_result;
    /// Owned by the connection, valid until its next request.
    const uint8_t *_Nullable body;
    size_t body_count;
    const char *_Nonnull text;
} ccurl_response;

/// What a connection is made with; NULL: not set.
typedef struct {
    const char *_Nullable unix_socket;
    /// PEM files: authorities to trust instead of the system's, our own certificate with its chain, its key, revocation lists.
    const char *_Nullable authority_file;
    const char *_Nullable certificate_file;
    const char *_Nullable key_file;
    const char *_Nullable revocation_file;
    const char *_Nullable proxy;
} ccurl_settings;

/// NULL when memory ran out. Texts are copied.
ccurl_connection *_Nullable ccurl_connection_create(const ccurl_settings *_Nonnull settings);
/// No other call may be under way.
void ccurl_connection_destroy(ccurl_connection *_Nonnull connection);
ccurl_response ccurl_perform(ccurl_connection *_Nonnull connection, const ccurl_request *_Nonnull request);
/// Forgets open connections, TLS sessions and what was read from the files, so that the next request begins with the files as they are.
/// False when memory ran out; the connection is then as it was. No request may be under way.
bool ccurl_forget(ccurl_connection *_Nonnull connection);
/// May be called from any thread while the connection exists. The request under way and all later ones end with CCURL_CANCELLED.
void ccurl_cancel(ccurl_connection *_Nonnull connection);

/// Walks through the headers of the last response: pass 0, then what the call returned; 0 ends the walk.
size_t ccurl_next_header(
    ccurl_connection *_Nonnull connection, size_t position, const char *_Nullable *_Nonnull name, const char *_Nullable *_Nonnull value);

// MARK: Mails (RFC 5321)

/// The last thing that was said to a mail server.
enum ccurl_mail_stage {
    CCURL_MAIL_CONNECT,
    CCURL_MAIL_HELLO,
    CCURL_MAIL_STARTTLS,
    CCURL_MAIL_LOGIN,
    CCURL_MAIL_SENDER,
    CCURL_MAIL_RECIPIENT,
    CCURL_MAIL_DATA,
    /// The mail itself, or its end.
    CCURL_MAIL_CONTENT
};

typedef struct {
    /// smtp:// or smtps://, without a user.
    const char *_Nonnull url;
    /// With smtp://: STARTTLS, or nothing is sent.
    bool requires_tls;
    const char *_Nullable user;
    const char *_Nullable password;
    /// Addresses without brackets.
    const char *_Nonnull from;
    const char *_Nonnull to;
    /// Headers and body with CR LF. NULL: nothing is sent; the server is greeted and asked what it can.
    const uint8_t *_Nullable content;
    size_t content_count;
    long connect_timeout_ms;
    long total_timeout_ms;
    /// More comes at once, so the connection stays open.
    bool keeps_connection;
} ccurl_mail;

typedef struct {
    /// CCURL_OK, CCURL_FAILED or CCURL_CANCELLED.
    enum ccurl_outcome outcome;
    int code;
    bool timed_out;
    enum ccurl_mail_stage stage;
    /// The server's last answer, its lines joined by blanks; empty: none came. Valid until the next call.
    const char *_Nonnull reply;
    /// The server of this connection offers SMTPUTF8 (RFC 6531).
    bool takes_utf8;
    long verify_result;
    const char *_Nonnull text;
} ccurl_mail_response;

/// Sends one mail to one address.
ccurl_mail_response ccurl_send(ccurl_connection *_Nonnull connection, const ccurl_mail *_Nonnull mail);
