// Typed rows: add one, empty one, paste many. Without this script the rows that are there can still be filled.
(() => {
    "use strict";
    const table = document.querySelector("table[data-rows]");
    if (!table) return;
    const body = table.tBodies[0];
    const total = document.querySelector(`[name=${table.dataset.rows}-TOTAL_FORMS]`);
    const empty = document.querySelector("template[data-empty-row]");

    const addRow = () => {
        const index = Number(total.value);
        const holder = document.createElement("tbody");
        holder.innerHTML = empty.innerHTML.replaceAll("__prefix__", index).replaceAll("__number__", index + 1);
        const row = holder.firstElementChild;
        body.append(row);
        total.value = index + 1;
        return row;
    };
    const fields = row => [...row.querySelectorAll("input")];

    document.querySelector("[data-add-row]").addEventListener("click", () => fields(addRow())[0].focus());
    body.addEventListener("click", event => {
        const button = event.target.closest("[data-clear-row]");
        if (button) fields(button.closest("tr")).forEach(field => { field.value = ""; });
    });
    body.addEventListener("keydown", event => {
        if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
        event.preventDefault(); // a scanner ends with Enter: go on to the next field, never send half a document
        const all = fields(body);
        const next = all[all.indexOf(event.target) + 1] || fields(addRow())[0];
        next.focus();
        next.select();
    });
    body.addEventListener("paste", event => {
        const lines = event.clipboardData.getData("text").split(/\r?\n/).filter(line => line.trim());
        if (lines.length < 2 && !(lines[0] || "").includes("\t")) return;
        event.preventDefault();
        let row = event.target.closest("tr");
        for (const line of lines) {
            const cells = line.split(/[\t,;]/).map(cell => cell.trim());
            fields(row || (row = addRow())).forEach((field, column) => { field.value = cells[column] ?? ""; });
            row = row.nextElementSibling;
        }
    });
})();
