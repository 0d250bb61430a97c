#include "http/openapi.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include <boost/json.hpp>

#include "http/backup_schemas.hpp"
#include "http/content_coding.hpp"
#include "http/openapi_schema.hpp"
#include "http/schemas.hpp"

namespace concord::http {
namespace {

namespace json = boost::json;

constexpr std::string_view key_placeholder = "{key}";

constexpr std::array error_fields = {Field{.name = "code", .schema = &schemas::text, .required = true},
                                     Field{.name = "message", .schema = &schemas::text, .required = true},
                                     Field{.name = "oldest_revision",
                                           .schema = &schemas::count,
                                           .description = "With COMPACTED: of the oldest event that is kept."}};
constexpr Schema error_schema = {.shape = Shape::object, .fields = error_fields};
constexpr std::array<std::string_view, 1> error_word = {"error"};
constexpr std::array<std::string_view, 1> ok_word = {"ok"};
constexpr Schema error_status = {.shape = Shape::text, .values = error_word};
constexpr Schema ok_status = {.shape = Shape::text, .values = ok_word};
constexpr std::array problem_fields = {Field{.name = "status", .schema = &error_status, .required = true},
                                       Field{.name = "error", .schema = &error_schema, .required = true}};
constexpr Schema problem_schema = {.shape = Shape::object, .name = "Error", .fields = problem_fields};

constexpr Schema if_match = {.shape = Shape::text, .pattern = "^(\\*|\"[0-9]{1,19}\")$"};
constexpr std::array<std::string_view, 1> star_word = {"*"};
constexpr Schema star = {.shape = Shape::text, .values = star_word};
constexpr Schema idempotency_key = {.shape = Shape::text, .pattern = "^[!-~]([ -~]{0,126}[!-~])?$"};

struct DocumentedError {
  unsigned status;
  std::string_view code;
  std::string_view description;
  std::string_view example_message;
};

/// What may be answered instead, by status. Which of them a route declares, `errors_of` says; those that any call may get, whatever it
/// is about, stand in the one answer `default`.
constexpr std::array documented_errors = {
    DocumentedError{400, "INVALID_REQUEST",
                    "INVALID_REQUEST, INVALID_KEY, MISSING_CONDITION, CONFLICTING_CONDITIONS: "
                    "the message names the field, parameter or limit.",
                    "the field \"colour\" of the body is not known"},
    DocumentedError{401, "UNAUTHORIZED", "UNAUTHORIZED: the call needs a token, or brings one that is not valid.",
                    "the token is not valid"},
    DocumentedError{403, "FORBIDDEN",
                    "FORBIDDEN: the token may not do that; or the page of another site may not change anything "
                    "(api.cors_origins).",
                    "the token lacks the permission write, which this call needs"},
    DocumentedError{404, "NOT_FOUND", "NOT_FOUND: no such key, or it has expired.", "the key does not exist"},
    DocumentedError{405, "METHOD_NOT_ALLOWED", "METHOD_NOT_ALLOWED: `Allow` names the methods of the path.",
                    "the path does not take this method; it takes GET, HEAD, OPTIONS"},
    DocumentedError{408, "INVALID_REQUEST", "The request did not arrive in time; the connection is closed.",
                    "the request did not arrive within 30000 ms"},
    DocumentedError{409, "CONDITION_FAILED",
                    "CONDITION_FAILED: `expected` or `condition` does not hold. IDEMPOTENCY_CONFLICT: the "
                    "Idempotency-Key was used for another request. Nothing was changed.",
                    "the condition does not hold; nothing was changed"},
    DocumentedError{
        410, "COMPACTED",
        "COMPACTED: events from behind that revision are no longer kept; `error.oldest_revision` is the oldest.",
        "what came after revision 17 is no longer kept"},
    DocumentedError{412, "PRECONDITION_FAILED", "PRECONDITION_FAILED: If-Match or If-None-Match does not hold.",
                    "the key is not in the state that If-Match or If-None-Match asks for"},
    DocumentedError{413, "PAYLOAD_TOO_LARGE", "PAYLOAD_TOO_LARGE, BATCH_TOO_LARGE: a limit, which the message names.",
                    "the body is larger than 16777216 bytes"},
    DocumentedError{414, "INVALID_REQUEST", "The URL is too long; the connection is closed.",
                    "the URL has more than 8192 bytes"},
    DocumentedError{415, "UNSUPPORTED_MEDIA_TYPE", "UNSUPPORTED_MEDIA_TYPE: `Accept` names the types that are taken.",
                    "the body must be of type application/json"},
    DocumentedError{421, "INVALID_REQUEST", "The Host header names no host of this server (api.allowed_hosts).",
                    "the host \"attacker.example\" is none of this server's"},
    DocumentedError{422, "INVALID_BACKUP",
                    "INVALID_BACKUP: damaged, of a newer version, or no backup at all. Nothing was changed.",
                    "a.backup: damaged at offset 16: a block's checksum is wrong"},
    DocumentedError{429, "TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS: nothing was done; try again after `Retry-After`.",
                    "too many writes are in flight"},
    DocumentedError{431, "INVALID_REQUEST", "The header fields are too large; the connection is closed.",
                    "the header fields have more than 16384 bytes"},
    DocumentedError{500, "INTERNAL", "STORAGE_FAILED: an I/O error, the node stops. INTERNAL: a defect.",
                    "an internal error; the log has it under request id 5f1c"},
    DocumentedError{503, "CLUSTER_UNAVAILABLE", "CLUSTER_UNAVAILABLE: no leader or quorum; nothing was done.",
                    "no leader is known"},
    DocumentedError{504, "TIMEOUT", "TIMEOUT: the deadline passed; the outcome of a write is unknown.",
                    "the deadline passed; the outcome is unknown"},
    DocumentedError{507, "STORAGE_FULL",
                    "STORAGE_FULL: no space, or the quota of a tenant is reached; nothing was done, reads are served.",
                    "the disk is full"}};

constexpr std::array errors_of_all = {405U, 408U, 413U, 414U, 421U, 431U, 500U};

std::set<unsigned> errors_of(const Route& route, bool has_key) {
  std::set<unsigned> errors = {400, 503};
  if (route.body != BodyKind::none) errors.insert({413, 415});
  if (route.method != Method::get) errors.insert(403);
  if (route.needs != Needs::nothing) errors.insert({401, 403, 429});
  if (route.is_read || route.is_write || route.may_conflict || route.may_wait) errors.insert({429, 504});
  if (route.is_write) errors.insert({409, 507});
  if (route.may_miss || has_key) errors.insert(404);
  if (route.may_conflict) errors.insert(409);
  if (route.takes_backup) errors.insert({422, 507});
  if (route.takes_last_event_id) errors.insert(410);
  if (route.takes_if_match || (route.takes_if_none_match && route.is_write)) errors.insert(412);
  return errors;
}

/// Writes a document; the schemas that are used gather as it goes.
class Writer {
 public:
  json::object write(std::span<const Route> routes, std::string_view version) {
    json::object paths;
    for (const Route& route : routes) {
      if (!route.summary.empty()) add(paths, route);  // else a file of the documentation's page
    }
    json::object responses;
    for (const DocumentedError& error : documented_errors) {
      responses[std::to_string(error.status)] = error_response(error);
    }
    responses["default"] = other_errors();
    return {{"openapi", "3.1.0"},
            {"info", info(version)},
            {"servers", json::array{json::object{{"url", "/"}}}},
            {"security", token_or_none()},
            {"paths", std::move(paths)},
            {"components", json::object{{"schemas", std::move(schemas_)},
                                        {"parameters", std::move(parameters_)},
                                        {"responses", std::move(responses)},
                                        {"securitySchemes", security_schemes()}}}};
  }

 private:
  static json::object info(std::string_view version) {
    return {{"title", "Concord"},
            {"version", version},
            {"description",
             "A strongly consistent key-value store. Every answer is JSON with `status`; errors have `error.code` and "
             "`error.message`. Every answer carries `X-Request-Id`, the client's if it sent one."}};
  }

  static json::object security_schemes() {
    return {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
            {"api_key", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}}}};
  }

  /// A token in either way; or none, while authentication is off.
  static json::array token_or_none() {
    return {json::object{{"bearer", json::array{}}}, json::object{{"api_key", json::array{}}}, json::object{}};
  }

  json::object error_response(const DocumentedError& error) {
    json::object example = {{"status", "error"}, {"error", {{"code", error.code}, {"message", error.example_message}}}};
    return {{"description", error.description},
            {"content",
             {{"application/json",
               {{"schema", openapi_schema(problem_schema, schemas_)}, {"example", std::move(example)}}}}}};
  }

  json::object other_errors() {
    std::string description = "What any call may get.";
    for (const unsigned status : errors_of_all) {
      description += " " + std::to_string(status) + ": " + std::string(documented(status).description);
    }
    return {{"description", description},
            {"content", {{"application/json", {{"schema", openapi_schema(problem_schema, schemas_)}}}}}};
  }

  void add(json::object& paths, const Route& route) {
    json::object& methods =
        paths[route.path].is_object() ? paths[route.path].as_object() : paths[route.path].emplace_object();
    const bool has_key = route.path.find('{') != std::string_view::npos;
    // Several paths may be one operation (health); ids must differ, and the first path has the plain one.
    std::string id(route.operation);
    if (!ids_.insert(id).second) {
      for (const char c : route.path) id += c == '/' || c == '.' ? '_' : c;
      ids_.insert(id);
    }
    json::object operation = {{"operationId", id}, {"tags", json::array{json::value(route.tag)}}};
    operation["summary"] = route.summary;
    if (!route.description.empty()) operation["description"] = route.description;
    operation["parameters"] = parameters(route, has_key);
    if (route.body != BodyKind::none) operation["requestBody"] = request_body(route);
    if (route.needs == Needs::nothing) operation["security"] = json::array{};
    operation["responses"] = responses(route, has_key);
    methods[document_method(route.method)] = std::move(operation);
  }

  static std::string_view document_method(Method method) noexcept {
    switch (method) {
      case Method::put: return "put";
      case Method::post: return "post";
      case Method::del: return "delete";
      default: return "get";
    }
  }

  json::object parameter(std::string_view in, std::string_view name, std::string_view description,
                         const Schema& schema) {
    json::object shown = {{"in", in}, {"name", name}, {"schema", openapi_schema(schema, schemas_)}};
    if (!description.empty()) shown["description"] = description;
    if (in == "path") shown["required"] = true;
    return shared(name, shown);
  }

  /// Many routes take the same parameters: each is written once, under its name, with a number behind it if others have that name.
  json::object shared(std::string_view name, const json::object& parameter) {
    std::string id(name);
    for (unsigned number = 2;; ++number) {
      const auto [at, is_new] = parameters_.emplace(id, parameter);
      if (is_new || at->value() == parameter) return {{"$ref", "#/components/parameters/" + id}};
      id = std::string(name) + "_" + std::to_string(number);
    }
  }

  json::object query_parameter(const Parameter& each) {
    return parameter("query", each.name, each.description, *each.schema);
  }

  /// The example stands in words: a page that fills in examples would send the header with every call.
  json::object header(std::string_view name, std::string_view description, std::string_view example,
                      const Schema& schema = schemas::text) {
    return parameter("header", name, std::string(description) + " For example `" + std::string(example) + "`.", schema);
  }

  json::object key_in_path() {
    return shared("key", {{"in", "path"},
                          {"name", "key"},
                          {"schema", openapi_schema(schemas::key, schemas_)},
                          {"description", "Percent-encoded: `a/b` is `a%2Fb`."},
                          {"required", true},
                          {"example", "user:1"}});
  }

  json::array parameters(const Route& route, bool has_key) {
    json::array list;
    if (has_key && route.path.find(key_placeholder) == std::string_view::npos) {
      const std::size_t open = route.path.find('{') + 1;
      const std::string_view name = route.path.substr(open, route.path.find('}') - open);
      list.push_back(parameter("path", name, "Percent-encoded.",
                               name == "id"                                        ? schemas::token_id
                               : route.path.starts_with("/api/v1/backups")         ? schemas::backup_name
                               : route.path.starts_with("/api/v1/cluster/members") ? schemas::member_name
                                                                                   : schemas::access_name));
    } else if (has_key) {
      list.push_back(key_in_path());
      list.push_back(query_parameter(common_parameter(CommonParameter::key_encoding)));
    }
    for (const Parameter& each : route.parameters) list.push_back(query_parameter(each));
    if (route.is_read) list.push_back(query_parameter(common_parameter(CommonParameter::consistency)));
    list.push_back(query_parameter(common_parameter(CommonParameter::timeout)));
    if (route.takes_if_match) {
      list.push_back(
          header("If-Match", "The key's revision must be this one; `*`: it must exist.", "\"17\"", if_match));
    }
    if (route.takes_if_none_match) {
      list.push_back(route.is_write ? header("If-None-Match", "`*`: the key must not exist.", "*", star)
                                    : header("If-None-Match", "304 when the key still has this revision.", "\"17\""));
    }
    if (route.takes_last_event_id) {
      list.push_back(header("Last-Event-ID", "Begins behind this event.", "17", schemas::count));
    }
    if (route.is_write) {
      list.push_back(header("Idempotency-Key", "A repeat within 10 minutes gets the first answer; done once.",
                            "6f1c2b9e-order-17", idempotency_key));
    }
    return list;
  }

  json::object request_body(const Route& route) {
    json::object content;
    if (route.body != BodyKind::bytes) {
      content["application/json"] = {{"schema", openapi_schema(*route.body_schema, schemas_)}};
    }
    if (route.body != BodyKind::json) {
      content["application/octet-stream"] = {{"schema", {{"type", "string"}, {"format", "binary"}}}};
    }
    return {{"required", route.body_required}, {"content", std::move(content)}};
  }

  json::object answer_schema(const Route& route) {
    const Answer& answer = route.answer;
    if (answer.kind == AnswerKind::bare) {
      return answer.schema == nullptr ? json::object{{"type", "object"}} : openapi_schema(*answer.schema, schemas_);
    }
    json::object properties = {{"status", openapi_schema(ok_status, schemas_)}};
    json::array required = {"status"};
    if (route.is_write || answer.has_revision) {
      properties["revision"] = openapi_schema(schemas::count, schemas_);
    }
    if (answer.kind != AnswerKind::done) {
      properties["data"] = openapi_schema(*answer.schema, schemas_);
      required.emplace_back("data");
    }
    if (answer.kind == AnswerKind::page) {
      properties["next_cursor"] = openapi_schema(schemas::cursor, schemas_);
      properties["count"] = openapi_schema(schemas::count, schemas_);
      required.emplace_back("next_cursor");
      required.emplace_back("count");
    }
    return {{"type", "object"},
            {"properties", std::move(properties)},
            {"required", std::move(required)},
            {"additionalProperties", false}};
  }

  json::object success(const Route& route) {
    const Answer& answer = route.answer;
    json::object content;
    if (answer.kind == AnswerKind::foreign) {
      content[answer.media_type] = json::object{};
    } else {
      content[answer.media_type] = {{"schema", answer_schema(route)}};
    }
    if (answer.also_bytes) {
      content["application/octet-stream"] = {{"schema", {{"type", "string"}, {"format", "binary"}}}};
    }
    if (answer.also_text) content["text/plain"] = {{"schema", {{"type", "string"}}}};
    json::object shown = {{"description", "Done."}, {"content", std::move(content)}};
    if (answer.has_etag) {
      shown["headers"] = {{"ETag", {{"description", "The key's revision, quoted."}, {"schema", {{"type", "string"}}}}}};
    }
    return shown;
  }

  json::object responses(const Route& route, bool has_key) {
    json::object list = {{std::to_string(route.answer.status), success(route)}};
    if (route.takes_if_none_match && !route.is_write) {
      list["304"] = {{"description", "The key still has the revision that the client has."}};
    }
    for (const unsigned status : errors_of(route, has_key)) {
      list[std::to_string(status)] = {{"$ref", "#/components/responses/" + std::to_string(status)}};
    }
    list["default"] = {{"$ref", "#/components/responses/default"}};
    if (route.answer.also_text) {  // readiness answers its checks as text with 503 too
      json::object unavailable = error_response(documented(503));
      unavailable["content"].as_object()["text/plain"] = {{"schema", {{"type", "string"}}}};
      list["503"] = std::move(unavailable);
    }
    return list;
  }

  static const DocumentedError& documented(unsigned status) noexcept {
    return *std::ranges::find(documented_errors, status, &DocumentedError::status);
  }

  json::object schemas_;
  json::object parameters_;
  std::set<std::string> ids_;
};

}  // namespace

std::string openapi_document(std::span<const Route> routes, std::string_view version) {
  return json::serialize(Writer().write(routes, version));
}

std::string_view OpenapiDocument::text() {
  std::call_once(text_made_, [this] { text_ = openapi_document(routes_, version_); });
  return text_;
}

std::string_view OpenapiDocument::gzip() {
  std::call_once(gzip_made_, [this] { gzip_ = GzipCoder().coded(text()); });
  return gzip_;
}

}  // namespace concord::http
