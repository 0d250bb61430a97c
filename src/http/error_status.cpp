#include "http/error_status.hpp"

namespace concord::http {

unsigned status_of(Errc code) noexcept {
  switch (code) {
    case Errc::not_found: return 404;
    case Errc::invalid_key:
    case Errc::invalid_request:
    case Errc::missing_condition:
    case Errc::conflicting_conditions: return 400;
    case Errc::unauthorized: return 401;
    case Errc::forbidden: return 403;
    case Errc::condition_failed:
    case Errc::already_exists: return 409;
    case Errc::compacted: return 410;
    case Errc::batch_too_large:
    case Errc::value_too_large: return 413;
    case Errc::invalid_backup: return 422;
    case Errc::overloaded: return 429;
    case Errc::cluster_not_ready: return 503;
    case Errc::timeout: return 504;
    case Errc::storage_full: return 507;
    case Errc::storage_failed:
    case Errc::internal: return 500;
  }
  return 500;
}

std::string_view reason_of(unsigned status) noexcept {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 412: return "Precondition Failed";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

}  // namespace concord::http
