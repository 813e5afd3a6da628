#include "base/list.h"

#include <doctest/doctest.h>

#include <vector>

using namespace wsd;

namespace {

struct Item {
    int number;
    ListNode node;
};

std::vector<int> drain(List& list) {
    std::vector<int> numbers;
    while (ListNode* const node = list_pop_front(list)) numbers.push_back(WSD_CONTAINER_OF(node, Item, node)->number);
    return numbers;
}

}  // namespace

TEST_CASE("a list gives its nodes back in the order they came") {
    Item items[] = {{1, {}}, {2, {}}, {3, {}}};
    List list;
    CHECK(list_empty(list));
    for (Item& item : items) list_push_back(list, item.node);
    CHECK(list_linked(items[1].node));
    CHECK(drain(list) == std::vector{1, 2, 3});
    CHECK_FALSE(list_linked(items[1].node));
    CHECK(list_empty(list));
}

TEST_CASE("a node leaves from anywhere and may come back") {
    Item items[] = {{1, {}}, {2, {}}, {3, {}}};
    List list;
    for (Item& item : items) list_push_back(list, item.node);
    list_unlink(items[1].node);
    list_unlink(items[0].node);
    list_push_back(list, items[0].node);
    CHECK(drain(list) == std::vector{3, 1});
}

TEST_CASE("splicing moves all nodes behind those that are there") {
    Item items[] = {{1, {}}, {2, {}}, {3, {}}, {4, {}}};
    List from, to;
    list_splice(from, to);
    CHECK(list_empty(to));
    list_push_back(to, items[0].node);
    for (int i = 1; i < 4; i++) list_push_back(from, items[i].node);
    list_splice(from, to);
    CHECK(list_empty(from));
    list_unlink(items[3].node);
    CHECK(drain(to) == std::vector{1, 2, 3});
}
