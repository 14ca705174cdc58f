// Connecting a channel: the bar that grows while listings are read, SKUs proposed while somebody types, one tick for all.
// Without this script every page still works: reload for the bar, type whole codes.
(() => {
    "use strict";
    const bar = document.querySelector("[data-progress]");
    if (bar) {
        const words = document.querySelector("[data-words]");
        const ask = async () => {
            try {
                const answer = await fetch(bar.dataset.progress, { headers: { Accept: "application/json" } });
                const told = await answer.json();
                if (!told.reading) return window.location.reload();
                words.textContent = told.words;
            } catch { /* the network is away for a moment: ask again */ }
            setTimeout(ask, 1000);
        };
        setTimeout(ask, 700);
    }

    const names = new Map();
    const propose = async (form, field) => {
        const answer = await fetch(`${form.dataset.skus}?q=${encodeURIComponent(field.value)}`);
        if (!answer.ok) return;
        const { skus } = await answer.json();
        form.querySelector("datalist").replaceChildren(...skus.map(sku => {
            names.set(sku.code, sku.name);
            const option = document.createElement("option");
            option.value = sku.code;
            option.textContent = sku.name;
            return option;
        }));
    };
    const connect = form => {
        let waiting = 0;
        const boxes = [...form.querySelectorAll("[name=found]")];
        form.querySelector("[data-tick-all]")?.addEventListener("change", event => {
            boxes.forEach(box => { box.checked = event.target.checked; });
        });
        form.addEventListener("input", event => {
            const field = event.target.closest("[data-sku]");
            if (!field) return;
            const row = field.closest("tr") || form;
            const box = row.querySelector("[name=found]");
            if (box) box.checked = field.value.trim() !== "";
            const name = row.querySelector("[data-name]");
            if (name && names.has(field.value)) name.textContent = names.get(field.value);
            clearTimeout(waiting);
            if (field.value.trim().length > 1) waiting = setTimeout(() => propose(form, field), 200);
        });
        form.addEventListener("keydown", event => {
            if (event.key === "Enter" && event.target.matches("table [data-sku]")) event.preventDefault(); // a scanner
        });
    };
    document.querySelectorAll("form[data-skus]").forEach(connect);
})();
