// Reads what the page carries: entries in order of time, each a moment, a node, what changed, and the numbers that belong to it.

const VIEWS = 0, BORN = 1, GONE = 2, CONDITION = 3, FALSE_POSITIVE = 4;
const UNKNOWN = 0, ALIVE = 1, SUSPECT = 2, FAILED = 3, LEFT = 4;
const ABSENT = 0, UP = 1, LEAVING = 2, HAS_LEFT = 3, DOWN = 4;
const PAUSED = 0, BLOCKED = 1, SLOW = 2, CLOCK = 3;

function bytesOf(text) {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = binary.charCodeAt(k);
  return bytes;
}

// times: microseconds; heads: node * 8 + code; items of entry k: from firsts[k] to before firsts[k + 1]. An item of VIEWS is
// subject * 8 + view, those of BORN are first nodes and numbers of nodes in turn.
function decode(head, bytes) {
  const times = new Float64Array(head.entries);
  const heads = new Uint32Array(head.entries);
  const firsts = new Uint32Array(head.entries + 1);
  const items = new Uint32Array(head.items);
  let place = 0, item = 0, at = 0;
  const number = () => {
    let value = 0, weight = 1;
    for (;;) {
      const byte = bytes[place++];
      if (byte < 128) return value + byte * weight;
      value += (byte - 128) * weight;
      weight *= 128;
    }
  };
  for (let k = 0; k < head.entries; k++) {
    times[k] = at += number();
    const what = number();
    heads[k] = what;
    firsts[k] = item;
    const code = what % 8;
    if (code === VIEWS) {
      for (let count = number(); count > 0; count--) {
        const pair = number(), view = pair % 5;
        items[item++] = (pair - view) / 5 * 8 + view;
      }
    } else if (code === BORN) {
      let end = 0;
      for (let spans = number(); spans > 0; spans--) {
        const first = end + number(), count = number();
        items[item++] = first;
        items[item++] = count;
        end = first + count;
      }
    } else {
      items[item++] = number();
    }
  }
  firsts[head.entries] = item;
  return { nodes: head.nodes, end: head.end, groups: head.groups, times, heads, firsts, items };
}

// How many of the sorted times are at or before this one.
function upTo(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] <= time) low = middle + 1; else high = middle;
  }
  return low;
}
