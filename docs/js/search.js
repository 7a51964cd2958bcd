// What Helm prints holds colons and quotation marks, which the search takes for its own: it looks for a field called
// Error, or for what has all that is quoted, your own names included. So a text that is pasted becomes its words: names
// in quotation marks are left out, unless they are keys, which have a slash, or flags of apply conflicts' managers.
document.addEventListener("paste", (event) => {
  const field = event.target;
  if (!field.matches?.(".md-search__input")) return;
  const words = event.clipboardData
    .getData("text")
    .replace(/"([^"/]*)"/g, " ")
    .replace(/[^\p{L}\p{N}./_-]+/gu, " ")
    .replace(/(^| )[-.\/]+|[-.\/]+(?= |$)/g, "$1")
    .trim();
  event.preventDefault();
  field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("keyup"));
});

// A flag such as --adopt is a word: to the search, what a minus stands before must not be in a page.
const { postMessage } = Worker.prototype;
Worker.prototype.postMessage = function (message, ...rest) {
  const words = typeof message?.data === "string" ? message.data.replace(/(^|\s)-+(?=\w)/g, "$1") : message?.data;
  return postMessage.call(this, words === message?.data ? message : { ...message, data: words }, ...rest);
};
