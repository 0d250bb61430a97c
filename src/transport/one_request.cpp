#include "transport/one_request.hpp"

#include <utility>

namespace concord::transport {

OneRequest::OneRequest(std::shared_ptr<Shared> shared, Question question, Done done)
    : shared_(std::move(shared)), question_(std::move(question)), done_(std::move(done)), timer_(shared_->context) {}

void OneRequest::start(OnOver on_over) {
  on_over_ = std::move(on_over);
  timer_.expires_at(question_.deadline);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (!cancelled && self->connection_ == nullptr) {
      self->finish(fail(Errc::cluster_not_ready, self->question_.address + " was not reached in time"));
    }
  });
  dial_ = std::make_shared<Dial>(shared_, question_.address, Purpose::one_request, Expected{});
  dial_->start(
      [self = shared_from_this()](Agreed<std::shared_ptr<Connection>> outcome) { self->take(std::move(outcome)); });
}

void OneRequest::take(Agreed<std::shared_ptr<Connection>> outcome) {
  dial_.reset();
  if (!outcome) return finish(std::unexpected(outcome.error().error));
  timer_.cancel();
  connection_ = std::move(*outcome);
  connection_->start({});
  const auto connection = connection_;  // it may be let go of while it is asked
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(question_.deadline - std::chrono::steady_clock::now());
  connection->request(question_.method, std::move(question_.body), left,
                      [self = shared_from_this()](Result<std::string> answer) {
                        if (!answer) return self->finish(std::unexpected(std::move(answer.error())));
                        self->finish(std::pair(self->connection_->peer(), std::move(*answer)));
                      });
}

void OneRequest::cancel() {
  if (connection_ != nullptr) return connection_->close(Lost::closed, false);
  finish(fail(Errc::cluster_not_ready, "this node stops"));
}

void OneRequest::check_alive() {
  if (connection_ != nullptr) connection_->check_alive();
}

void OneRequest::finish(Answer answer) {
  Done done = std::exchange(done_, {});
  if (!done) return;
  const auto self = shared_from_this();
  timer_.cancel();
  if (const auto dial = std::exchange(dial_, {})) dial->cancel();
  const auto connection = std::exchange(connection_, {});
  if (connection != nullptr) connection->close(Lost::closed, false);
  OnOver on_over = std::exchange(on_over_, {});
  shared_->call_out([&] { done(std::move(answer)); });
  if (on_over) on_over(self);
}

}  // namespace concord::transport
