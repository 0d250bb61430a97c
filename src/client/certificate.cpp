#include "client/certificate.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace concord::client {

bool expect_certificate_of(ssl_st* connection, const std::string& host) {
  X509_VERIFY_PARAM* const expected = SSL_get0_param(connection);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (!error) {  // no name is told: the extension carries none but host names (RFC 6066 3)
    if (address.is_v4()) {
      const auto bytes = address.to_v4().to_bytes();
      return X509_VERIFY_PARAM_set1_ip(expected, bytes.data(), bytes.size()) == 1;
    }
    const auto bytes = address.to_v6().to_bytes();
    return X509_VERIFY_PARAM_set1_ip(expected, bytes.data(), bytes.size()) == 1;
  }
  // "*.example" stands for a whole label, never for a part of one (RFC 9525 6.3).
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1 &&
         SSL_set_tlsext_host_name(connection, host.c_str()) == 1;
}

std::optional<std::string> certificate_problem(const ssl_st* connection) {
  const long why = SSL_get_verify_result(connection);
  const bool has_verified = SSL_get_verify_mode(connection) != SSL_VERIFY_NONE;
  if (!has_verified || SSL_is_init_finished(connection) != 0 || why == X509_V_OK) return std::nullopt;
  return std::string("its certificate is not trusted: ") + X509_verify_cert_error_string(why);
}

}  // namespace concord::client
