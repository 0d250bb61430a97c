#include "security/certificate.hpp"

#include <algorithm>
#include <memory>
#include <string_view>

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace concord::security {
namespace {

template <class T, void (*free_it)(T*)>
struct Free {
  void operator()(T* object) const noexcept { free_it(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using X509Pointer = std::unique_ptr<X509, Free<X509, X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION, X509_EXTENSION_free>>;
using BioPointer = std::unique_ptr<BIO, Free<BIO, BIO_free_all>>;

/// Some time before now: clocks of those that look at it may be behind.
constexpr long backdated_s = 3600;
constexpr long day_s = 24L * 3600;
constexpr int serial_bits = 159;

std::unexpected<Error> failed(std::string_view what) {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* const text = error == 0 ? nullptr : ERR_reason_error_string(error);
  return fail(Errc::internal, std::string(what) + (text == nullptr ? "" : std::string(": ") + text));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

BioPointer reader_of(const std::string& text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_random_serial(X509* certificate) {
  const std::unique_ptr<BIGNUM, Free<BIGNUM, BN_free>> number(BN_new());
  return number && BN_rand(number.get(), serial_bits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_name(X509_NAME* name, const std::string& common_name) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0) == 1;
}

X509Pointer begin(const std::string& name, EVP_PKEY* key, int days) {
  X509Pointer made(X509_new());
  const bool done = made && X509_set_version(made.get(), X509_VERSION_3) == 1 && set_random_serial(made.get()) &&
                    X509_gmtime_adj(X509_getm_notBefore(made.get()), -backdated_s) != nullptr &&
                    X509_gmtime_adj(X509_getm_notAfter(made.get()), days * day_s) != nullptr &&
                    X509_set_pubkey(made.get(), key) == 1 && set_name(X509_get_subject_name(made.get()), name);
  if (!done) made.reset();
  return made;
}

Result<Certificate> to_pem(X509* certificate, EVP_PKEY* key) {
  const BioPointer certificate_text(BIO_new(BIO_s_mem()));
  const BioPointer key_text(BIO_new(BIO_s_mem()));
  const bool written = certificate_text && key_text && PEM_write_bio_X509(certificate_text.get(), certificate) == 1 &&
                       PEM_write_bio_PKCS8PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
  if (!written) return failed("a certificate can't be written");
  return Certificate{.certificate = text_of(certificate_text.get()), .key = text_of(key_text.get())};
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

/// Commas and colons would say more than one name.
bool is_name(const std::string& host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '*' || c == '_';
  });
}

Result<std::string> names_of(const std::vector<std::string>& hosts) {
  std::string names;
  for (const std::string& host : hosts) {
    if (!is_address(host) && !is_name(host)) {
      return fail(Errc::invalid_request, "\"" + host + "\" is neither a name nor an address");
    }
    names += (names.empty() ? "" : ",") + std::string(is_address(host) ? "IP:" : "DNS:") + host;
  }
  return names;
}

bool add_use(X509* certificate, X509* issuer, const CertificateWish& wish) {
  return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, issuer, NID_ext_key_usage, wish.serves ? "serverAuth,clientAuth" : "clientAuth") &&
         add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
         add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
}

}  // namespace

Result<Certificate> make_authority(const std::string& name, int days) {
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return failed("a key can't be made");
  const X509Pointer made = begin(name, key.get(), days);
  X509* const own = made.get();
  const bool done = made && X509_set_issuer_name(own, X509_get_subject_name(own)) == 1 &&
                    add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(own, own, NID_subject_key_identifier, "hash") &&
                    X509_sign(own, key.get(), EVP_sha256()) != 0;
  if (!done) return failed("an authority can't be made");
  return to_pem(own, key.get());
}

Result<Certificate> make_certificate(const Certificate& authority, const CertificateWish& wish) {
  const auto names = names_of(wish.hosts);
  if (!names) return std::unexpected(names.error());
  const X509Pointer issuer(PEM_read_bio_X509(reader_of(authority.certificate).get(), nullptr, nullptr, nullptr));
  const Key issuer_key(PEM_read_bio_PrivateKey(reader_of(authority.key).get(), nullptr, nullptr, nullptr));
  if (!issuer || !issuer_key || X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
    ERR_clear_error();
    return fail(Errc::invalid_request,
                "the authority's certificate or its key can't be read, or they don't belong together");
  }
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return failed("a key can't be made");
  const X509Pointer made = begin(wish.name, key.get(), wish.days);
  const bool done = made && X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get())) == 1 &&
                    add_use(made.get(), issuer.get(), wish) &&
                    (names->empty() || add_extension(made.get(), issuer.get(), NID_subject_alt_name, *names)) &&
                    X509_sign(made.get(), issuer_key.get(), EVP_sha256()) != 0;
  if (!done) return failed("a certificate can't be made");
  return to_pem(made.get(), key.get());
}

}  // namespace concord::security
