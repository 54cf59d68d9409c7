// A small face of OpenSSL's TLS for Swift, which cannot call the macros of <openssl/ssl.h>.
//
// Nothing here touches a socket: what the network brings is given to a session with ctls_feed, what it is to send is fetched with
// ctls_take. A context is made from files, is not changed afterwards, and can be used by several sessions on any thread; a session
// belongs to one thread at a time. TLS 1.2 is the oldest version that is spoken.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ctls_context ctls_context;
typedef struct ctls_session ctls_session;

enum ctls_step {
    /// What was asked for is done.
    CTLS_DONE,
    /// More must come from the network first.
    CTLS_WANTS_INPUT,
    /// The other end has said that it sends no more.
    CTLS_ENDED,
    CTLS_FAILED
};

/// What went wrong with the files of a context.
enum ctls_file { CTLS_FILE_NONE, CTLS_FILE_AUTHORITIES, CTLS_FILE_CERTIFICATE, CTLS_FILE_KEY, CTLS_FILE_REVOCATION };

/// Reads the files; NULL on failure, with the file and OpenSSL's words in `file` and `reason`.
///
/// A client checks the other's certificate against the authorities in the file, or the system's. A server asks for a certificate
/// only when an authority file is named.
ctls_context *_Nullable ctls_context_new(
    bool is_server, const char *_Nullable authority_file, const char *_Nullable certificate_file, const char *_Nullable key_file,
    enum ctls_file *_Nonnull file, char *_Nonnull reason, size_t reason_size);
void ctls_context_free(ctls_context *_Nonnull context);

/// A session. `peer_name`: the host name or the IP address that the other's certificate must be made out to; NULL: any name.
/// NULL when memory ran out or the name is none.
ctls_session *_Nullable ctls_session_new(const ctls_context *_Nonnull context, const char *_Nullable peer_name, bool is_address);
void ctls_session_free(ctls_session *_Nonnull session);

/// Takes what came from the network; false when memory ran out.
bool ctls_feed(ctls_session *_Nonnull session, const uint8_t *_Nonnull bytes, size_t count);
/// Gives what is to be sent, at most `size` bytes; 0: nothing.
size_t ctls_take(ctls_session *_Nonnull session, uint8_t *_Nonnull bytes, size_t size);

enum ctls_step ctls_handshake(ctls_session *_Nonnull session);
/// Gives what the other end said, at most `size` bytes.
enum ctls_step ctls_read(ctls_session *_Nonnull session, uint8_t *_Nonnull bytes, size_t size, size_t *_Nonnull count);
/// Encrypts; all or nothing.
enum ctls_step ctls_write(ctls_session *_Nonnull session, const uint8_t *_Nonnull bytes, size_t count);
/// Says that nothing more will be sent (close_notify).
void ctls_close(ctls_session *_Nonnull session);

/// After CTLS_FAILED: the result of checking the other's certificate, X509_V_OK (0) or an X509_V_ERR code.
long ctls_verify_result(const ctls_session *_Nonnull session);
/// OpenSSL's words for such a code; static.
const char *_Nonnull ctls_verify_text(long code);
/// After CTLS_FAILED: OpenSSL's words for the first error, empty when it has none.
const char *_Nonnull ctls_reason(const ctls_session *_Nonnull session);
/// The common name, or else the whole subject, of the certificate that the other end showed; false when it showed none. From a
/// stranger: escape it.
bool ctls_peer_subject(const ctls_session *_Nonnull session, char *_Nonnull text, size_t size);
/// "TLSv1.3"; static.
const char *_Nonnull ctls_version(const ctls_session *_Nonnull session);

/// The settings of a client for a library that makes the connection itself, and what came of checking the server's certificate.
typedef struct ctls_client ctls_client;

/// Reads the files; NULL on failure, with the file and OpenSSL's words in `file` and `reason`.
///
/// The server's certificate must be made out to the name or address, and stand on none of the lists in the revocation file, which must
/// then hold one of every authority above it.
ctls_client *_Nullable ctls_client_new(
    const char *_Nullable authority_file, const char *_Nullable certificate_file, const char *_Nullable key_file,
    const char *_Nullable revocation_file, const char *_Nonnull peer_name, bool is_address, enum ctls_file *_Nonnull file,
    char *_Nonnull reason, size_t reason_size);
/// Only after everything that was made from its context is gone.
void ctls_client_free(ctls_client *_Nonnull client);
/// The SSL_CTX.
void *_Nonnull ctls_client_context(ctls_client *_Nonnull client);
/// The first thing that was wrong with a certificate: X509_V_OK (0) or an X509_V_ERR code. May be asked on any thread.
long ctls_client_verify_result(ctls_client *_Nonnull client);
/// Tries a handshake on a connected socket, which stays open; the reads and writes of the socket must have time-outs.
void ctls_client_probe(ctls_client *_Nonnull client, int socket);
