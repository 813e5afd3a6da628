// The fields of a JSON object, judged one by one. The first that is wrong decides what is told of it, by its path:
// "members[3].role: instructor or student".
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "app/json.h"

namespace app::hub {

constexpr size_t kTextMaxChars = 256;  // of names and titles, in characters of Unicode

enum class Need : bool { kOptional, kRequired };

// Every reader returns whether it has set `*out`: false where the field is absent or wrong, or one before it was wrong.
class Fields {
  public:
    // `path` names the object in messages, e.g. "members[3]"; empty for the outermost. `why` and `object` outlive this.
    Fields(const Json& object, std::string path, std::string* why);

    bool identifier(std::string_view name, Need need, std::string* out);
    bool text(std::string_view name, Need need, std::string* out);
    bool flag(std::string_view name, bool* out);
    bool object(std::string_view name, Need need, const Json** out);
    bool array(std::string_view name, size_t most, const Json** out);

    // One of some words: sets `*out` to its place among them.
    bool word(std::string_view name, Need need, std::initializer_list<std::string_view> words, size_t* out);

    // How messages name a field, or an item of one that is an array.
    std::string path_of(std::string_view name) const;
    std::string path_of(std::string_view name, size_t index) const;

    // Has something else be wrong with a field. Returns false.
    bool wrong(std::string_view name, std::string_view what);

    // Something within a field was wrong, and `*why` tells of it already. Returns false.
    bool wrong_within() { return ok_ = false; }

    bool ok() const { return ok_; }

    // Nothing was wrong, and there are no fields but those that were asked for.
    [[nodiscard]] bool finish();

  private:
    const Json* look(std::string_view name, Need need);

    const Json& object_;
    std::string path_;
    std::string* why_;
    std::vector<std::string_view> known_;
    bool ok_ = true;
};

}  // namespace app::hub
