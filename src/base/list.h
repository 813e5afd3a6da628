// An intrusive circular doubly linked list: linking allocates nothing and cannot fail.
// A node knows whether it is linked; it must be unlinked before its memory goes.
#pragma once

#include <cstddef>

#include "base/assert.h"

namespace wsd {

struct ListNode {
    ListNode* prev = nullptr;
    ListNode* next = nullptr;  // null: not in a list
};

// The object of a standard-layout type whose field `member` is at `field`.
#define WSD_CONTAINER_OF(field, type, member) \
    (reinterpret_cast<type*>(reinterpret_cast<char*>(field) - offsetof(type, member)))

inline bool list_linked(const ListNode& node) { return node.next != nullptr; }

inline void list_unlink(ListNode& node) {
    WSD_ASSERT(list_linked(node));
    node.prev->next = node.next;
    node.next->prev = node.prev;
    node = {};
}

// Its address is in its nodes, so it is neither copied nor moved.
struct List {
    ListNode head;

    List() { head.prev = head.next = &head; }
    List(const List&) = delete;
    List& operator=(const List&) = delete;
};

inline bool list_empty(const List& list) { return list.head.next == &list.head; }

inline void list_push_back(List& list, ListNode& node) {
    WSD_ASSERT(!list_linked(node));
    node.prev = list.head.prev;
    node.next = &list.head;
    node.prev->next = &node;
    list.head.prev = &node;
}

// The first node, unlinked; null for an empty list.
inline ListNode* list_pop_front(List& list) {
    if (list_empty(list)) return nullptr;
    ListNode* const node = list.head.next;
    list_unlink(*node);
    return node;
}

// All of `from`, in its order, to the end of `to`; `from` is left empty.
inline void list_splice(List& from, List& to) {
    if (list_empty(from)) return;
    from.head.next->prev = to.head.prev;
    to.head.prev->next = from.head.next;
    from.head.prev->next = &to.head;
    to.head.prev = from.head.prev;
    from.head.prev = from.head.next = &from.head;
}

}  // namespace wsd
