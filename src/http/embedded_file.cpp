#include "http/embedded_file.hpp"

#include <algorithm>

#include "http/accept.hpp"
#include "http/call.hpp"
#include "http/target.hpp"

namespace concord::http {
namespace {

constexpr std::string_view page_file = "index.html";

/// Null when the path leads to no file.
const EmbeddedFile* requested_file(std::span<const EmbeddedFile> files, std::string_view folder,
                                   std::string_view target) {
  const auto split = split_target(target);
  if (!split || !split->path.starts_with(folder)) return nullptr;
  std::string_view name = split->path.substr(folder.size());
  if (name.starts_with('/')) name.remove_prefix(1);
  const auto found = std::ranges::find(files, name.empty() ? page_file : name, &EmbeddedFile::path);
  return found == files.end() ? nullptr : &*found;
}

/// Whether `If-None-Match` names the tag; weak tags compare as strong ones.
bool client_has_tag(std::string_view list, std::string_view etag) noexcept {
  if (list == "*") return true;
  for (std::size_t at = list.find(etag); at != std::string_view::npos; at = list.find(etag, at + 1)) {
    const std::size_t end = at + etag.size();  // tags have their quotes, so one is never a part of another
    if (end == list.size() || list[end] == ',' || list[end] == ' ') return true;
  }
  return false;
}

}  // namespace

void serve_file(Call& call, std::span<const EmbeddedFile> files, std::string_view folder,
                std::string_view content_security_policy) {
  const EmbeddedFile* const found = requested_file(files, folder, call.request.target);
  if (found == nullptr) return call.refuse({404, error_name(Errc::not_found), "there is no such file"});
  const EmbeddedFile& file = *found;
  const bool packed = takes_gzip(call.request.header(Header::accept_encoding));
  const std::string_view etag = packed ? file.gzip_etag : file.etag;
  Reply& reply = call.reply;
  reply.content_type = file.content_type;
  reply.add_header("ETag", etag);
  // Kept, but asked about: another version of the program has other files.
  reply.add_header("Cache-Control", "no-cache");
  reply.vary_by("Accept-Encoding");
  reply.add_header("Content-Security-Policy", content_security_policy);
  reply.add_header("Referrer-Policy", "no-referrer");
  if (client_has_tag(call.request.header(Header::if_none_match), etag)) {
    reply.status = 304;
    return;
  }
  if (packed) reply.add_header("Content-Encoding", "gzip");
  reply.static_body = packed ? file.gzip_bytes : file.bytes;
}

}  // namespace concord::http
