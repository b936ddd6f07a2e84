#include "api/convert_options.h"

#include <algorithm>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "api/errors.h"
#include "base/names.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "wire/absl_text.h"

namespace poold::api {
namespace {

using google::protobuf::Duration;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using option::Kind;
using option::Option;
using wire::ToAbsl;

// The contract's fields of the rows, which do not change.
template <typename Owner>
const std::vector<const FieldDescriptor*>& DescriptorsOf(const Message& message,
                                                         std::span<const core::OptionField<Owner>> fields) {
  static const std::vector<const FieldDescriptor*> descriptors = [&] {
    std::vector<const FieldDescriptor*> found;
    for (const auto& field : fields) {
      found.push_back(message.GetDescriptor()->FindFieldByName(std::string(field.option->name)));
    }
    return found;
  }();
  return descriptors;
}

// One field of a message of options.
struct Place {
  const Reflection& reflection;
  const FieldDescriptor* field;
  const Option& option;

  bool given(const Message& message) const {
    return field->is_repeated() ? reflection.FieldSize(message, field) > 0 : reflection.HasField(message, field);
  }
};

// Reads one field into one member.
template <typename Owner>
class Reader {
 public:
  Reader(const Message& message, Place place, std::string_view prefix, Owner* out)
      : message_(message), place_(place), prefix_(prefix), out_(*out) {}

  absl::Status operator()(std::string Owner::*member) const {
    std::string text = place_.reflection.GetString(message_, place_.field);
    const std::string_view wrong = place_.option.check != nullptr ? place_.option.check(text) : std::string_view();
    if (!wrong.empty()) return InvalidField(name(), absl::StrCat(name(), ": ", base::Quoted(text), " ", ToAbsl(wrong)));
    out_.*member = std::move(text);
    return absl::OkStatus();
  }
  absl::Status operator()(std::vector<std::string> Owner::*member) const {
    for (int i = 0; i < place_.reflection.FieldSize(message_, place_.field); ++i) {
      (out_.*member).push_back(place_.reflection.GetRepeatedString(message_, place_.field, i));
    }
    return absl::OkStatus();
  }
  absl::Status operator()(bool Owner::*member) const {
    out_.*member = place_.reflection.GetBool(message_, place_.field);
    return absl::OkStatus();
  }
  absl::Status operator()(std::uint32_t Owner::*member) const {
    if (place_.option.kind == Kind::kChoices) return ReadChoices(&(out_.*member));
    return Number(place_.reflection.GetUInt32(message_, place_.field), &(out_.*member));
  }
  absl::Status operator()(std::uint64_t Owner::*member) const {
    return Number(place_.reflection.GetUInt64(message_, place_.field), &(out_.*member));
  }
  absl::Status operator()(int Owner::*member) const {
    const bool is_signed = place_.field->cpp_type() == FieldDescriptor::CPPTYPE_INT32;
    if (is_signed) return Number(place_.reflection.GetInt32(message_, place_.field), &(out_.*member));
    return Number(place_.reflection.GetUInt32(message_, place_.field), &(out_.*member));
  }
  absl::Status operator()(core::Nanos Owner::*member) const {
    const auto& duration = static_cast<const Duration&>(place_.reflection.GetMessage(message_, place_.field));
    const absl::StatusOr<core::Nanos> nanos = ReadDuration(duration, name());
    if (!nanos.ok()) return nanos.status();
    out_.*member = *nanos;
    return place_.option.min > 0 ? CheckNotZero(*nanos, name()) : absl::OkStatus();
  }
  absl::Status operator()(const core::SecondsOrNever<Owner>& time) const { return (*this)(time.nanos); }
  absl::Status operator()(const core::Choice<Owner>& choice) const {
    const int number = place_.reflection.GetEnumValue(message_, place_.field);
    if (number < 0 || static_cast<std::size_t>(number) > choice.words.size()) {
      return InvalidField(name(),
                          absl::StrCat(name(), ": ", number, " is unknown; 0 to ", choice.words.size(), " are known"));
    }
    if (number > 0) choice.set(out_, static_cast<std::size_t>(number) - 1);
    return absl::OkStatus();
  }
  // The caller's.
  absl::Status operator()(const core::Arguments<Owner>&) const { return absl::OkStatus(); }
  absl::Status operator()(const core::Resources<Owner>&) const { return absl::OkStatus(); }
  absl::Status operator()(std::map<std::string, std::string> Owner::*) const { return absl::OkStatus(); }

 private:
  std::string name() const { return absl::StrCat(ToAbsl(prefix_), ToAbsl(place_.option.name)); }

  template <typename Integer, typename Member>
  absl::Status Number(Integer number, Member* member) const {
    const Option& option = place_.option;
    if (number == 0 && option.min == 1 && option.zero_is_unset) {
      return InvalidField(name(),
                          absl::StrCat(name(), ": 0 is not possible, at least 1; unset: ", ToAbsl(option.unset)));
    }
    const bool low = std::is_signed_v<Integer> ? static_cast<std::int64_t>(number) < option.min
                                               : option.min > 0 && number < static_cast<std::uint64_t>(option.min);
    const bool high = std::is_signed_v<Integer>
                          ? static_cast<std::int64_t>(number) > option.max
                          : option.max != option::kMost && number > static_cast<std::uint64_t>(option.max);
    if (low || high) {
      return InvalidField(name(),
                          absl::StrCat(name(), ": ", number, " is not between ", option.min, " and ", option.max));
    }
    *member = static_cast<Member>(number);
    return absl::OkStatus();
  }

  absl::Status ReadChoices(std::uint32_t* bits) const {
    const Option& option = place_.option;
    const int end = option.first_number + static_cast<int>(option.words.size());
    *bits = 0;
    for (int i = 0; i < place_.reflection.FieldSize(message_, place_.field); ++i) {
      const int number = place_.reflection.GetRepeatedEnumValue(message_, place_.field, i);
      if (number < option.first_number || number >= end) {
        return InvalidField(name(), absl::StrCat(name(), ": ", number, " is not between ", option.first_number, " and ",
                                                 end - 1, ": ", ToAbsl(option.help)));
      }
      *bits |= 1u << number;
    }
    return absl::OkStatus();
  }

  const Message& message_;
  const Place place_;
  const std::string_view prefix_;
  Owner& out_;
};

// Writes one member to one field.
template <typename Owner>
class Writer {
 public:
  Writer(const Owner& options, Place place, Message* out) : options_(options), place_(place), out_(out) {}

  void operator()(std::string Owner::*member) const {
    place_.reflection.SetString(out_, place_.field, options_.*member);
  }
  void operator()(std::vector<std::string> Owner::*member) const {
    for (const std::string& text : options_.*member) place_.reflection.AddString(out_, place_.field, text);
  }
  void operator()(bool Owner::*member) const { place_.reflection.SetBool(out_, place_.field, options_.*member); }
  void operator()(std::uint32_t Owner::*member) const {
    const Option& option = place_.option;
    if (option.kind != Kind::kChoices) {
      if (given(options_.*member)) place_.reflection.SetUInt32(out_, place_.field, options_.*member);
      return;
    }
    for (int i = 0; i < static_cast<int>(option.words.size()); ++i) {
      const int number = option.first_number + i;
      if ((options_.*member & 1u << number) != 0) place_.reflection.AddEnumValue(out_, place_.field, number);
    }
  }
  void operator()(std::uint64_t Owner::*member) const {
    if (given(options_.*member)) place_.reflection.SetUInt64(out_, place_.field, options_.*member);
  }
  void operator()(int Owner::*member) const {
    const bool is_signed = place_.field->cpp_type() == FieldDescriptor::CPPTYPE_INT32;
    if (is_signed) return place_.reflection.SetInt32(out_, place_.field, options_.*member);
    place_.reflection.SetUInt32(out_, place_.field, static_cast<std::uint32_t>(std::max(options_.*member, 0)));
  }
  void operator()(core::Nanos Owner::*member) const {
    const core::Nanos nanos = options_.*member;
    if (nanos == core::kNever || !given(nanos)) return;
    WriteDuration(nanos, static_cast<Duration*>(place_.reflection.MutableMessage(out_, place_.field)));
  }
  void operator()(const core::SecondsOrNever<Owner>& time) const { (*this)(time.nanos); }
  void operator()(const core::Choice<Owner>& choice) const {
    place_.reflection.SetEnumValue(out_, place_.field, static_cast<int>(choice.get(options_)) + 1);
  }
  // The caller's.
  void operator()(const core::Arguments<Owner>&) const {}
  void operator()(const core::Resources<Owner>&) const {}
  void operator()(std::map<std::string, std::string> Owner::*) const {}

 private:
  template <typename Number>
  bool given(Number number) const {
    return number != 0 || !place_.option.zero_is_unset;
  }

  const Owner& options_;
  const Place place_;
  Message* const out_;
};

}  // namespace

template <typename Owner>
absl::Status ReadOptions(const Message& message, std::string_view prefix,
                         std::span<const core::OptionField<Owner>> fields, Owner* out) {
  // Most tasks ask for nothing.
  if (message.ByteSizeLong() == 0) return absl::OkStatus();
  const std::vector<const FieldDescriptor*>& descriptors = DescriptorsOf(message, fields);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Place place{*message.GetReflection(), descriptors[i], *fields[i].option};
    if (!place.given(message)) continue;
    absl::Status status = std::visit(Reader<Owner>(message, place, prefix, out), fields[i].field);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

template <typename Owner>
void WriteOptions(const Owner& options, std::span<const core::OptionField<Owner>> fields, Message* out) {
  const std::vector<const FieldDescriptor*>& descriptors = DescriptorsOf(*out, fields);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Place place{*out->GetReflection(), descriptors[i], *fields[i].option};
    std::visit(Writer<Owner>(options, place, out), fields[i].field);
  }
}

template absl::Status ReadOptions(const Message&, std::string_view,
                                  std::span<const core::OptionField<core::TaskOptions>>, core::TaskOptions*);
template absl::Status ReadOptions(const Message&, std::string_view, std::span<const core::OptionField<core::PoolSpec>>,
                                  core::PoolSpec*);
template void WriteOptions(const core::TaskOptions&, std::span<const core::OptionField<core::TaskOptions>>, Message*);
template void WriteOptions(const core::PoolSpec&, std::span<const core::OptionField<core::PoolSpec>>, Message*);

}  // namespace poold::api
