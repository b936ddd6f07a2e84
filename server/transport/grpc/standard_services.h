// grpc.health.v1 and gRPC's server reflection: bytes in, bytes out.
//
// They are written here, over raw messages, because gRPC's own services start polling threads of their own, which take
// events from the RPC thread (and Debian ships no files of their contracts). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace poold::transport {

// The values of grpc.health.v1.HealthCheckResponse.ServingStatus.
enum class Health { kUnknown = 0, kServing = 1, kNotServing = 2, kServiceUnknown = 3 };

// Which service a HealthCheckRequest asks for; nothing if it is not one.
std::optional<std::string> ReadHealthRequest(const std::string& message);
// kServiceUnknown if there is no such service.
Health HealthOf(std::string_view service, bool serving);
std::string HealthResponse(Health health);

// Answers one ServerReflectionRequest (v1 and v1alpha are the same on the wire); nothing if it is not one.
std::optional<std::string> AnswerReflection(const std::string& message);

}  // namespace poold::transport
