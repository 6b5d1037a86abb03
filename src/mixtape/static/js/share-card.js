// The card to print: a button for those who do not look into the browser's menu.

document.querySelector("[data-print]").addEventListener("click", () => print());
