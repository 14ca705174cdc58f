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

// Beginning a count: choosing a node shows its list at once, one tick ticks all, and their number stays in sight.
(() => {
    "use strict";
    document.querySelector("[data-submit]")?.addEventListener("change", event => event.target.form.requestSubmit());
    const sum = document.querySelector("[data-ticked]");
    if (!sum) return;
    const boxes = [...document.querySelectorAll("[name=sku]")];
    const tell = () => { sum.textContent = boxes.filter(box => box.checked).length; };
    document.querySelector("[data-tick-all]").addEventListener("change", event => {
        boxes.forEach(box => { box.checked = event.target.checked; });
    });
    document.querySelector(".ranking").addEventListener("change", tell);
    tell();
})();

// Counting: Enter goes on to the next field, a scan goes to its SKU, and nothing that was typed is lost by leaving.
(() => {
    "use strict";
    const form = document.querySelector("form[data-counting]");
    if (!form) return;
    const scan = form.querySelector("[data-scan]");
    const all = [...form.querySelectorAll("input.units")];
    const sum = form.querySelector("[data-filled]");
    let isDirty = false;

    const tell = () => { sum.textContent = all.filter(field => field.value !== "").length; };
    const go = field => { field.focus(); field.select(); field.scrollIntoView({ block: "center" }); };
    form.addEventListener("input", event => {
        if (event.target !== scan) { isDirty = true; tell(); }
    });
    form.addEventListener("keydown", event => {
        if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
        event.preventDefault();
        if (event.target === scan) {
            const word = scan.value.trim().toLowerCase();
            const lines = [...form.querySelectorAll("[data-words]")];
            const words = line => line.dataset.words.toLowerCase().split(" ");
            const found = lines.find(line => words(line).includes(word))
                || lines.find(line => words(line).some(one => word && one.startsWith(word)));
            if (found) { scan.value = ""; go(found.querySelector("input.units")); } else { scan.select(); }
        } else {
            const next = all[all.indexOf(event.target) + 1];
            next ? go(next) : form.querySelector("button[type=submit]").focus();
        }
    });
    form.addEventListener("submit", () => { isDirty = false; });
    window.addEventListener("beforeunload", event => { if (isDirty) event.preventDefault(); });
    tell();
    if (all.length && window.innerWidth > 700) all[0].focus();
})();

// A stock file under way: ask how far it is, and open what became of it when it is done.
(() => {
    "use strict";
    const bar = document.querySelector("[data-progress]");
    if (!bar) return;
    const words = document.querySelector("[data-words]");
    const ask = async () => {
        try {
            const answer = await fetch(bar.dataset.progress, { headers: { Accept: "application/json" } });
            if (!answer.ok || answer.redirected) return window.location.reload();
            const told = await answer.json();
            if (told.state !== "waiting") return window.location.reload();
            bar.max = told.rows || 1;
            bar.value = told.read;
            words.textContent = told.words;
        } catch { /* the network is away for a moment: ask again */ }
        setTimeout(ask, 1000);
    };
    setTimeout(ask, 700);
})();

// Tables that take a while: the page is there at once, they follow.
(() => {
    "use strict";
    for (const place of document.querySelectorAll("[data-later]")) {
        const fail = () => {
            place.querySelector("[data-waiting]").hidden = true;
            place.querySelector("[data-failed]").hidden = false;
        };
        fetch(place.dataset.later)
            .then(async answer => {
                if (!answer.ok || answer.redirected) return fail();
                place.innerHTML = await answer.text();
            })
            .catch(fail)
            .finally(() => place.setAttribute("aria-busy", "false"));
    }
})();
