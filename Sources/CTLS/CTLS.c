#include "CTLS.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct ctls_context {
    SSL_CTX *ssl;
    bool is_server;
};

struct ctls_session {
    SSL *ssl;
    BIO *input;
    BIO *output;
    char reason[256];
    // The subject of the certificate that was shown, also of one that was refused.
    char subject[256];
    long verify_result;
};

// Keys stand in files that only the gateway can read; there is nobody to ask for a pass phrase.
static int no_pass_phrase(char *buffer, int size, int writing, void *context) {
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

static void copy_error(char *text, size_t size) {
    if (size == 0) return;
    unsigned long code = ERR_get_error();
    const char *words = code == 0 ? NULL : ERR_reason_error_string(code);
    // Errors of the system ("No such file or directory") have their words elsewhere.
    if (code != 0 && ERR_SYSTEM_ERROR(code)) words = strerror(ERR_GET_REASON(code));
    strncpy(text, words == NULL ? "" : words, size - 1);
    text[size - 1] = 0;
    ERR_clear_error();
}

static void copy_subject(X509 *certificate, char *text, size_t size) {
    text[0] = 0;
    X509_NAME *name = X509_get_subject_name(certificate);
    if (name == NULL) return;
    if (X509_NAME_get_text_by_NID(name, NID_commonName, text, (int)size) <= 0) X509_NAME_oneline(name, text, (int)size);
}

// Notes the first thing that is wrong with the other's certificate, and whose it is; changes nothing.
static int watch_verification(int is_good, X509_STORE_CTX *store) {
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    ctls_session *session = ssl == NULL ? NULL : SSL_get_app_data(ssl);
    if (session == NULL) return is_good;
    if (!is_good && session->verify_result == X509_V_OK) session->verify_result = X509_STORE_CTX_get_error(store);
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    if (leaf != NULL && session->subject[0] == 0) copy_subject(leaf, session->subject, sizeof session->subject);
    return is_good;
}

ctls_context *ctls_context_new(
    bool is_server, const char *authority_file, const char *certificate_file, const char *key_file, enum ctls_file *file, char *reason,
    size_t reason_size) {
    *file = CTLS_FILE_NONE;
    ERR_clear_error();
    SSL_CTX *ssl = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    ctls_context *context = ssl == NULL ? NULL : calloc(1, sizeof *context);
    if (context == NULL) goto failed;
    if (SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1) goto failed;
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(ssl, no_pass_phrase);

    *file = CTLS_FILE_AUTHORITIES;
    if (authority_file != NULL) {
        if (SSL_CTX_load_verify_file(ssl, authority_file) != 1) goto failed;
    } else if (!is_server) {
        if (SSL_CTX_set_default_verify_paths(ssl) != 1) goto failed;
    }
    int mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ssl, is_server && authority_file == NULL ? SSL_VERIFY_NONE : mode, watch_verification);
    if (certificate_file != NULL) {
        *file = CTLS_FILE_CERTIFICATE;
        if (SSL_CTX_use_certificate_chain_file(ssl, certificate_file) != 1) goto failed;
        *file = CTLS_FILE_KEY;
        // The key may stand in the same file.
        if (SSL_CTX_use_PrivateKey_file(ssl, key_file == NULL ? certificate_file : key_file, SSL_FILETYPE_PEM) != 1) goto failed;
        if (SSL_CTX_check_private_key(ssl) != 1) goto failed;
    }
    *file = CTLS_FILE_NONE;
    context->ssl = ssl;
    context->is_server = is_server;
    return context;
failed:
    copy_error(reason, reason_size);
    SSL_CTX_free(ssl);
    free(context);
    return NULL;
}

void ctls_context_free(ctls_context *context) {
    SSL_CTX_free(context->ssl);
    free(context);
}

ctls_session *ctls_session_new(const ctls_context *context, const char *peer_name, bool is_address) {
    ctls_session *session = calloc(1, sizeof *session);
    if (session == NULL) return NULL;
    ERR_clear_error();
    session->ssl = SSL_new(context->ssl);
    session->input = BIO_new(BIO_s_mem());
    session->output = BIO_new(BIO_s_mem());
    if (session->ssl == NULL || session->input == NULL || session->output == NULL) {
        BIO_free(session->input);
        BIO_free(session->output);
        SSL_free(session->ssl);
        free(session);
        return NULL;
    }
    // An empty input means "not yet", not "the end".
    BIO_set_mem_eof_return(session->input, -1);
    SSL_set_bio(session->ssl, session->input, session->output);
    SSL_set_app_data(session->ssl, session);
    bool is_good = true;
    if (peer_name != NULL) {
        X509_VERIFY_PARAM *parameters = SSL_get0_param(session->ssl);
        if (is_address) {
            is_good = X509_VERIFY_PARAM_set1_ip_asc(parameters, peer_name) == 1;
        } else {
            X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
            is_good = X509_VERIFY_PARAM_set1_host(parameters, peer_name, 0) == 1;
            if (!context->is_server) is_good = is_good && SSL_set_tlsext_host_name(session->ssl, peer_name) == 1;
        }
    }
    if (context->is_server) {
        SSL_set_accept_state(session->ssl);
    } else {
        SSL_set_connect_state(session->ssl);
    }
    if (!is_good) {
        ctls_session_free(session);
        return NULL;
    }
    return session;
}

void ctls_session_free(ctls_session *session) {
    // The buffers belong to it.
    SSL_free(session->ssl);
    free(session);
}

bool ctls_feed(ctls_session *session, const uint8_t *bytes, size_t count) {
    size_t written = 0;
    return BIO_write_ex(session->input, bytes, count, &written) == 1 && written == count;
}

size_t ctls_take(ctls_session *session, uint8_t *bytes, size_t size) {
    size_t count = 0;
    return BIO_read_ex(session->output, bytes, size, &count) == 1 ? count : 0;
}

static enum ctls_step step(ctls_session *session, int result) {
    if (result > 0) return CTLS_DONE;
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return CTLS_WANTS_INPUT;
    case SSL_ERROR_ZERO_RETURN:
        return CTLS_ENDED;
    default:
        copy_error(session->reason, sizeof session->reason);
        return CTLS_FAILED;
    }
}

enum ctls_step ctls_handshake(ctls_session *session) {
    ERR_clear_error();
    return step(session, SSL_do_handshake(session->ssl));
}

enum ctls_step ctls_read(ctls_session *session, uint8_t *bytes, size_t size, size_t *count) {
    ERR_clear_error();
    *count = 0;
    return step(session, SSL_read_ex(session->ssl, bytes, size, count));
}

enum ctls_step ctls_write(ctls_session *session, const uint8_t *bytes, size_t count) {
    size_t written = 0;
    ERR_clear_error();
    return step(session, SSL_write_ex(session->ssl, bytes, count, &written));
}

void ctls_close(ctls_session *session) {
    if (SSL_in_init(session->ssl)) return;
    ERR_clear_error();
    SSL_shutdown(session->ssl);
    ERR_clear_error();
}

long ctls_verify_result(const ctls_session *session) { return session->verify_result; }

const char *ctls_verify_text(long code) { return X509_verify_cert_error_string(code); }

const char *ctls_reason(const ctls_session *session) { return session->reason; }

bool ctls_peer_subject(const ctls_session *session, char *text, size_t size) {
    if (size == 0 || session->subject[0] == 0) return false;
    strncpy(text, session->subject, size - 1);
    text[size - 1] = 0;
    return true;
}

const char *ctls_version(const ctls_session *session) { return SSL_get_version(session->ssl); }

struct ctls_client {
    SSL_CTX *ssl;
    atomic_long verify_result;
};

static int note_verification(int is_good, X509_STORE_CTX *store) {
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    ctls_client *client = ssl == NULL ? NULL : SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (client != NULL && !is_good) {
        long none = X509_V_OK;
        atomic_compare_exchange_strong(&client->verify_result, &none, X509_STORE_CTX_get_error(store));
    }
    return is_good;
}

ctls_client *ctls_client_new(
    const char *authority_file, const char *certificate_file, const char *key_file, const char *revocation_file, const char *peer_name,
    bool is_address, enum ctls_file *file, char *reason, size_t reason_size) {
    ctls_context *context = ctls_context_new(false, authority_file, certificate_file, key_file, file, reason, reason_size);
    if (context == NULL) return NULL;
    ctls_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        ctls_context_free(context);
        return NULL;
    }
    client->ssl = context->ssl;
    free(context);
    atomic_init(&client->verify_result, X509_V_OK);
    SSL_CTX_set_app_data(client->ssl, client);
    SSL_CTX_set_verify(client->ssl, SSL_VERIFY_PEER, note_verification);
    X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(client->ssl);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    bool is_good = is_address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, peer_name) == 1
                              : X509_VERIFY_PARAM_set1_host(parameters, peer_name, 0) == 1;
    if (is_good && revocation_file != NULL) {
        *file = CTLS_FILE_REVOCATION;
        X509_LOOKUP *lookup = X509_STORE_add_lookup(SSL_CTX_get_cert_store(client->ssl), X509_LOOKUP_file());
        is_good = lookup != NULL && X509_load_crl_file(lookup, revocation_file, X509_FILETYPE_PEM) > 0
            && X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) == 1;
    }
    if (is_good) return client;
    copy_error(reason, reason_size);
    ctls_client_free(client);
    return NULL;
}

void ctls_client_free(ctls_client *client) {
    SSL_CTX_free(client->ssl);
    free(client);
}

void *ctls_client_context(ctls_client *client) { return client->ssl; }

long ctls_client_verify_result(ctls_client *client) { return atomic_load(&client->verify_result); }

void ctls_client_probe(ctls_client *client, int socket) {
    ERR_clear_error();
    SSL *ssl = SSL_new(client->ssl);
    if (ssl != NULL && SSL_set_fd(ssl, socket) == 1) SSL_connect(ssl);
    SSL_free(ssl);
    ERR_clear_error();
}
