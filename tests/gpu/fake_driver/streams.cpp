// The order of work: streams and events.
#include <fmt/format.h>

#include <algorithm>

#include "tests/gpu/fake_driver/driver.h"

namespace fake_cuda {

namespace {

const talweg_cuda_stream kDefault = nullptr;
const auto kLegacy = handle_as<talweg_cuda_stream>(1);
const auto kOfThread = handle_as<talweg_cuda_stream>(2);

std::string name(talweg_cuda_stream stream) {
  return stream == kDefault || stream == kLegacy ? "default" : "stream";
}

}  // namespace

Stream* Driver::stream_of(std::uintptr_t context, std::uintptr_t handle) {
  if (handle != 0) return streams.find(handle);
  Context* found = contexts.find(context);
  return found == nullptr ? nullptr : &found->default_stream;
}

Stream* Driver::stream(talweg_cuda_stream handle, Result& why_not, bool uses_it) {
  Context* context = current(why_not);
  if (context == nullptr) return nullptr;
  if (handle == kDefault || handle == kLegacy) {
    // The default stream would wait for streams that are being captured.
    for (auto& [other, stream] : streams.all())
      if (stream.capture && stream.waits_for_default && stream.context == current_handle()) {
        stream.capture->is_invalid |= uses_it;
        why_not = kCaptureImplicit;
        return nullptr;
      }
    return &context->default_stream;
  }
  why_not = kNotSupported;
  if (handle == kOfThread) return nullptr;
  Stream* found = streams.find(handle);
  const bool is_ours = found != nullptr && found->context == current_handle();
  why_not = is_ours ? kSuccess : kInvalidHandle;
  return is_ours ? found : nullptr;
}

void Driver::run(Stream& stream, std::uint64_t until) {
  const std::uintptr_t owner = stream.context;
  while (!stream.work.empty() && stream.work.front().number <= until) {
    const Work work = std::move(stream.work.front());
    stream.work.pop_front();
    Context& context = *contexts.find(owner);
    if (context.fault != kSuccess) continue;
    try {
      work.run();
      ++work_done;
    } catch (const std::exception& error) {
      fault = error.what();
      context.fault = kLaunchFailed;
    }
  }
}

void Driver::run_all(std::uintptr_t context) {
  if (Context* found = contexts.find(context)) run(found->default_stream, UINT64_MAX);
  for (auto& [handle, stream] : streams.all())
    if (stream.context == context) run(stream, UINT64_MAX);
}

std::uint64_t Driver::waiting() {
  std::uint64_t count = 0;
  for (auto& [handle, context] : contexts.all()) count += context.default_stream.work.size();
  for (auto& [handle, stream] : streams.all()) count += stream.work.size();
  return count;
}

Result Driver::enqueue(Stream& stream, Operation operation, std::uint64_t* number) {
  if (stream.capture) {
    if (stream.capture->is_invalid) return kCaptureInvalidated;
    stream.capture->operations.push_back(std::move(operation));
    return kSuccess;
  }
  const std::uintptr_t owner = stream.context;
  Context& context = *contexts.find(owner);
  const bool is_default = &stream == &context.default_stream;
  const auto wait_for = [&](std::uintptr_t handle, std::uint64_t last) {
    stream.work.push_back({++next_number, [this, owner, handle, last] {
                             if (Stream* other = stream_of(owner, handle)) run(*other, last);
                           }});
  };
  if (!is_default && stream.waits_for_default && !context.default_stream.work.empty())
    wait_for(0, context.default_stream.last);
  if (is_default)
    for (auto& [handle, other] : streams.all())
      if (other.context == owner && other.waits_for_default && !other.work.empty())
        wait_for(handle, other.last);
  stream.last = ++next_number;
  if (number != nullptr) *number = stream.last;
  stream.work.push_back({stream.last, std::move(operation)});
  if (!is_delayed) run(stream, UINT64_MAX);
  return context.fault;
}

namespace {

/// One piece of work, so that whoever asks again and again gets there.
void make_progress(Driver& driver, Stream& stream) {
  if (!stream.work.empty()) driver.run(stream, stream.work.front().number);
}

Event* find_event(Driver& driver, talweg_cuda_event handle, Result& why_not) {
  if (driver.current(why_not) == nullptr) return nullptr;
  Event* event = driver.events.find(handle);
  if (event == nullptr) why_not = kInvalidHandle;
  return event;
}

/// An event that the host asks about.
Event* asked_event(Driver& driver, talweg_cuda_event handle, Result& why_not) {
  Event* event = find_event(driver, handle, why_not);
  if (event == nullptr) return nullptr;
  why_not = event->is_captured ? kCapturedEvent : driver.forbidden_in_capture();
  return why_not == kSuccess ? event : nullptr;
}

/// The stream of a call that asks for the end of its work, which no capture may do; null, and why.
Stream* stream_to_ask(Driver& driver, talweg_cuda_stream handle, Result& why_not) {
  Stream* stream = driver.stream(handle, why_not);
  if (stream == nullptr) return nullptr;
  if (stream->capture) {
    stream->capture->is_invalid = true;
    why_not = kCaptureUnsupported;
    return nullptr;
  }
  why_not = driver.forbidden_in_capture();
  return why_not == kSuccess ? stream : nullptr;
}

}  // namespace

}  // namespace fake_cuda

using namespace fake_cuda;

extern "C" {

Result cuStreamCreate(talweg_cuda_stream* stream, unsigned flags) {
  return call("cuStreamCreate", fmt::format("{}", flags), [&](Driver& driver) {
    Result why_not = kSuccess;
    if (driver.current(why_not) == nullptr) return why_not;
    if (flags > TALWEG_CUDA_STREAM_NON_BLOCKING) return kInvalidValue;
    const std::uintptr_t handle = driver.streams.add();
    driver.streams.find(handle)->context = driver.current_handle();
    driver.streams.find(handle)->waits_for_default = flags == 0;
    *stream = handle_as<talweg_cuda_stream>(handle);
    return kSuccess;
  });
}

/// The driver lets the stream's work go on; nobody can wait for it any more, so it runs here.
Result cuStreamDestroy_v2(talweg_cuda_stream handle) {
  return call("cuStreamDestroy_v2", name(handle), [&](Driver& driver) {
    Stream* stream = driver.streams.find(handle);
    if (stream == nullptr) return kInvalidHandle;
    if (stream->capture) return kCaptureUnsupported;
    driver.run(*stream, UINT64_MAX);
    driver.streams.erase(number_of(handle));
    return kSuccess;
  });
}

Result cuStreamSynchronize(talweg_cuda_stream handle) {
  return call("cuStreamSynchronize", name(handle), [&](Driver& driver) {
    Result why_not = kSuccess;
    Stream* stream = stream_to_ask(driver, handle, why_not);
    if (stream == nullptr) return why_not;
    driver.run(*stream, UINT64_MAX);
    return driver.contexts.find(stream->context)->fault;
  });
}

Result cuStreamQuery(talweg_cuda_stream handle) {
  return call("cuStreamQuery", name(handle), [&](Driver& driver) {
    Result why_not = kSuccess;
    Stream* stream = stream_to_ask(driver, handle, why_not);
    if (stream == nullptr) return why_not;
    if (stream->work.empty()) return kSuccess;
    make_progress(driver, *stream);
    const Result fault = driver.contexts.find(stream->context)->fault;
    return fault != kSuccess ? fault : kNotReady;
  });
}

Result cuStreamGetCtx(talweg_cuda_stream handle, talweg_cuda_context* context) {
  return call("cuStreamGetCtx", name(handle), [&](Driver& driver) {
    if (handle == kDefault || handle == kLegacy) {
      if (driver.current_handle() == 0) return kInvalidContext;
      *context = handle_as<talweg_cuda_context>(driver.current_handle());
      return kSuccess;
    }
    const Stream* stream = driver.streams.find(handle);
    if (stream == nullptr) return kInvalidHandle;
    *context = handle_as<talweg_cuda_context>(stream->context);
    return kSuccess;
  });
}

Result cuStreamWaitEvent(talweg_cuda_stream handle, talweg_cuda_event event_handle, unsigned) {
  return call("cuStreamWaitEvent", name(handle), [&](Driver& driver) {
    Result why_not = kSuccess;
    Stream* stream = driver.stream(handle, why_not);
    const Event* event = stream == nullptr ? nullptr : find_event(driver, event_handle, why_not);
    if (event == nullptr) return why_not;
    if (event->is_captured)
      return stream->capture && event->stream == number_of(handle) ? kSuccess : kNotSupported;
    if (event->number == 0) return kSuccess;
    if (stream->capture) {
      stream->capture->is_invalid = true;
      return kCaptureIsolation;
    }
    return driver.enqueue(*stream, [&driver, recorded = *event] {
      Stream* other = driver.stream_of(recorded.context, recorded.stream);
      if (other != nullptr) driver.run(*other, recorded.number);
    });
  });
}

Result cuEventCreate(talweg_cuda_event* event, unsigned flags) {
  return call("cuEventCreate", fmt::format("{}", flags), [&](Driver& driver) {
    Result why_not = kSuccess;
    if (driver.current(why_not) == nullptr) return why_not;
    const std::uintptr_t handle = driver.events.add();
    driver.events.find(handle)->context = driver.current_handle();
    driver.events.find(handle)->measures_time = (flags & TALWEG_CUDA_EVENT_DISABLE_TIMING) == 0;
    *event = handle_as<talweg_cuda_event>(handle);
    return kSuccess;
  });
}

Result cuEventDestroy_v2(talweg_cuda_event event) {
  return call("cuEventDestroy_v2", "", [&](Driver& driver) {
    return driver.events.erase(number_of(event)) ? kSuccess : kInvalidHandle;
  });
}

Result cuEventRecord(talweg_cuda_event event_handle, talweg_cuda_stream handle) {
  return call("cuEventRecord", name(handle), [&](Driver& driver) {
    Result why_not = kSuccess;
    Stream* stream = driver.stream(handle, why_not);
    Event* event = stream == nullptr ? nullptr : find_event(driver, event_handle, why_not);
    if (event == nullptr) return why_not;
    if (event->context != stream->context) return kInvalidHandle;
    const bool is_default = stream == &driver.contexts.find(stream->context)->default_stream;
    event->stream = is_default ? 0 : number_of(handle);
    event->is_captured = stream->capture != nullptr;
    if (event->is_captured) return stream->capture->is_invalid ? kCaptureInvalidated : kSuccess;
    event->reached = 0;
    const auto reach = [&driver, handle = number_of(event_handle), record = ++event->records] {
      Event* found = driver.events.find(handle);
      if (found != nullptr && found->records == record) found->reached = driver.work_done + 1;
    };
    return driver.enqueue(*stream, reach, &event->number);
  });
}

Result cuEventQuery(talweg_cuda_event handle) {
  return call("cuEventQuery", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    const Event* event = asked_event(driver, handle, why_not);
    if (event == nullptr) return why_not;
    Stream* stream = driver.stream_of(event->context, event->stream);
    if (event->number == 0 || event->reached != 0 || stream == nullptr) return kSuccess;
    make_progress(driver, *stream);
    const Result fault = driver.contexts.find(event->context)->fault;
    return fault != kSuccess ? fault : kNotReady;
  });
}

Result cuEventSynchronize(talweg_cuda_event handle) {
  return call("cuEventSynchronize", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    const Event* event = asked_event(driver, handle, why_not);
    if (event == nullptr) return why_not;
    Stream* stream = driver.stream_of(event->context, event->stream);
    if (stream != nullptr) driver.run(*stream, event->number);
    return driver.contexts.find(event->context)->fault;
  });
}

/// A microsecond for each piece of work between them.
Result cuEventElapsedTime(float* milliseconds, talweg_cuda_event from, talweg_cuda_event to) {
  return call("cuEventElapsedTime", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    const Event* first = asked_event(driver, from, why_not);
    const Event* last = first == nullptr ? nullptr : asked_event(driver, to, why_not);
    if (last == nullptr) return why_not;
    if (!first->measures_time || !last->measures_time) return kInvalidHandle;
    if (first->number == 0 || last->number == 0) return kInvalidHandle;
    if (first->reached == 0 || last->reached == 0) return kNotReady;
    *milliseconds = 0.001F * static_cast<float>(last->reached - first->reached);
    return kSuccess;
  });
}

}  // extern "C"
