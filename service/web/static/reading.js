// Copies citations. Without it they are there to be selected, and the buttons are not shown.
const told = document.getElementById("copied");

async function copy(button) {
  const text = document.getElementById(button.dataset.copies);
  try {
    // Browsers lend the clipboard to pages of this machine, and of others only over HTTPS.
    await navigator.clipboard.writeText(text.textContent);
    told.textContent = `Copied as ${button.dataset.name}.`;
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(text);
    told.textContent = "The browser does not allow to copy. It is selected: press Ctrl or ⌘ and C.";
  }
}

for (const button of document.querySelectorAll("button[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
  button.addEventListener("blur", () => { button.textContent = "Copy"; });
}
