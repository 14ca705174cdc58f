// The builder: rows and groups are added, words are proposed, and what the form says is shown while somebody types.
// Without this script the rows that are there can be filled and the draft can be saved.
(() => {
    "use strict";
    const form = document.querySelector("form.builder");
    if (!form) return;
    const shown = form.querySelector("[data-shown]");
    const trial = form.querySelector("[data-trial]");
    let waiting = 0;
    let asked = 0;
    let tried = 0;

    const complain = answer => {
        form.querySelectorAll("[data-complaints]").forEach(list => list.replaceChildren());
        answer.querySelectorAll("[data-complaint]").forEach(told => {
            const list = form.querySelector(`[data-complaints="${told.dataset.complaint}"]`);
            if (list) list.append(told);
        });
    };
    const preview = async wantsTrial => {
        const number = ++asked;
        const attempt = wantsTrial ? ++tried : 0;
        const told = new FormData(form);
        if (!wantsTrial) told.delete("baskets");
        try {
            const answer = await fetch(form.dataset.preview, { method: "POST", body: told });
            if (!answer.ok || answer.redirected) return;
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            // A key typed meanwhile asks again for the sentence; the trial that was asked for still stands.
            if (wantsTrial && attempt === tried) trial.replaceChildren(page.querySelector("[data-part=trial]"));
            if (number !== asked) return;
            complain(page);
            shown.replaceChildren(page.querySelector("[data-part=said]"));
            const here = shown.querySelector(".lane.here");
            if (here) here.closest(".lanes").scrollLeft = Number(here.getAttribute("x")) - 90;
        } catch { /* the network is away for a moment: the next key asks again */ }
    };
    const soon = () => { clearTimeout(waiting); waiting = setTimeout(() => preview(false), 350); };

    const renamed = (row, from, to) => {
        row.querySelectorAll("[name]").forEach(field => {
            field.name = field.name.replace(from, to);
            field.value = "";
        });
        row.querySelectorAll(".proposals").forEach(list => list.remove());
        return row;
    };
    const addRow = field => {
        const rows = [...field.querySelectorAll("[data-row]")];
        if (rows.length >= Number(field.dataset.most)) return;
        const last = rows[rows.length - 1];
        const row = renamed(last.cloneNode(true), `-${rows.length - 1}-`, `-${rows.length}-`);
        last.after(row);
        row.querySelector("input").focus();
    };

    const suit = row => {
        const chosen = row.querySelector("[data-what]").selectedOptions[0];
        const has = (chosen?.dataset.has || "").split(" ");
        row.querySelectorAll("[data-part]").forEach(part => { part.hidden = !has.includes(part.dataset.part); });
        row.querySelector("[data-tokens]").dataset.tokens = chosen?.dataset.source || "";
    };
    // A group lies in the one whose number its hidden field holds; groups are numbered as they stand on the page.
    const groupsOf = conditions => [...conditions.querySelectorAll("[data-group]")];
    const holderOf = group => {
        const place = group.querySelector("[data-inside]").value;
        return place === "" ? null : groupsOf(group.closest("[data-conditions]"))[Number(place)];
    };
    const depthOf = group => { const holder = holderOf(group); return holder ? depthOf(holder) + 1 : 0; };
    const holders = conditions => new Map(groupsOf(conditions).map(group => [group, holderOf(group)]));
    const numbered = (conditions, within = holders(conditions)) => {
        const name = conditions.dataset.conditions;
        const groups = groupsOf(conditions);
        groups.forEach((group, place) => {
            group.querySelector("select").name = `${name}-${place}-mode`;
            const inside = group.querySelector("[data-inside]");
            const holder = within.get(group);
            inside.name = `${name}-${place}-inside`;
            inside.value = holder ? String(groups.indexOf(holder)) : "";
            group.querySelectorAll("[data-row]").forEach((row, number) => {
                row.querySelectorAll("[name]").forEach(field => {
                    field.name = `${name}-${place}-${number}-${field.name.split("-").pop()}`;
                });
            });
        });
        groups.forEach(group => { group.dataset.depth = String(depthOf(group)); });
    };
    const fresh = row => {
        row.querySelectorAll("[name]").forEach(field => { field.value = ""; });
        row.querySelectorAll(".proposals").forEach(list => list.remove());
        suit(row);
        return row;
    };
    const addCondition = group => {
        const conditions = group.closest("[data-conditions]");
        const rows = [...group.querySelectorAll("[data-row]")];
        if (rows.length >= Number(conditions.dataset.mostRows)) return;
        const last = rows[rows.length - 1];
        const row = fresh(last.cloneNode(true));
        last.after(row);
        numbered(conditions);
        row.querySelector("select").focus();
    };
    const addGroup = (conditions, holder) => {
        const groups = groupsOf(conditions);
        if (groups.length >= Number(conditions.dataset.mostGroups)) return;
        if (holder && depthOf(holder) + 1 >= Number(conditions.dataset.mostDeep)) return;
        const within = holders(conditions);
        const isWithin = group => group === holder || (within.get(group) && isWithin(within.get(group)));
        const last = holder ? groups.filter(isWithin).pop() : groups[groups.length - 1];
        const group = last.cloneNode(true);
        [...group.querySelectorAll("[data-row]")].slice(1).forEach(row => row.remove());
        fresh(group.querySelector("[data-row]"));
        group.querySelector("select").value = "any";
        last.after(group);
        within.set(group, holder);
        numbered(conditions, within);
        group.querySelector("select").focus();
    };
    const removeGroup = (conditions, group) => {
        const within = holders(conditions);
        const up = within.get(group);
        within.forEach((holder, other) => { if (holder === group) within.set(other, up); });
        group.remove();
        numbered(conditions, within);
    };
    const remove = row => {
        const group = row.closest("[data-group]");
        const conditions = row.closest("[data-conditions]");
        if (group.querySelectorAll("[data-row]").length > 1) { row.remove(); numbered(conditions); }
        else if (groupsOf(conditions).length > 1) removeGroup(conditions, group);
        else fresh(row);
        soon();
    };

    const lastWord = field => field.dataset.single === undefined ? field.value.split(/[,，、]/).pop().trim() : field.value.trim();
    const closeProposals = () => form.querySelectorAll(".proposals").forEach(list => list.remove());
    const take = (field, code) => {
        const words = field.dataset.single === undefined ? field.value.split(/[,，、]/).slice(0, -1).map(word => word.trim()) : [];
        field.value = [...words.filter(Boolean), code].join(", ");
        closeProposals();
        field.focus();
        soon();
    };
    const propose = async field => {
        const source = field.dataset.tokens;
        if (!source) return closeProposals();
        const typed = lastWord(field);
        const answer = await fetch(`${form.dataset.words}?of=${source}&q=${encodeURIComponent(typed)}`);
        if (!answer.ok || document.activeElement !== field) return;
        const { words } = await answer.json();
        closeProposals();
        if (!words.length || (words.length === 1 && words[0].code === typed)) return;
        const list = document.createElement("div");
        list.className = "proposals";
        words.forEach(word => {
            const button = document.createElement("button");
            button.type = "button";
            const code = document.createElement("b");
            code.textContent = word.code;
            const name = document.createElement("span");
            name.textContent = word.name;
            button.append(code, name);
            button.addEventListener("mousedown", event => { event.preventDefault(); take(field, word.code); });
            button.addEventListener("click", () => take(field, word.code));
            list.append(button);
        });
        field.parentElement.classList.add("holds-proposals");
        field.after(list);
    };
    let proposing = 0;
    form.addEventListener("input", event => {
        soon();
        const field = event.target.closest("[data-tokens]");
        if (!field) return;
        clearTimeout(proposing);
        proposing = setTimeout(() => propose(field), 200);
    });
    form.addEventListener("focusin", event => {
        const field = event.target.closest("[data-tokens]");
        if (field && !field.value) propose(field);
    });
    form.addEventListener("focusout", event => {
        if (!event.relatedTarget?.closest(".proposals")) setTimeout(() => {
            if (!document.activeElement?.closest(".proposals, [data-tokens]")) closeProposals();
        }, 150);
    });
    form.addEventListener("keydown", event => { if (event.key === "Escape") closeProposals(); });
    form.addEventListener("change", event => {
        const row = event.target.closest("[data-row]");
        if (event.target.matches("[data-what]")) suit(row);
        soon();
    });
    form.addEventListener("click", event => {
        const on = name => event.target.closest(`[data-${name}]`);
        if (on("add-row")) addRow(event.target.closest("[data-rows]"));
        if (on("add-condition")) addCondition(event.target.closest("[data-group]"));
        if (on("add-group")) addGroup(event.target.closest("[data-conditions]"), null);
        if (on("add-inside")) addGroup(event.target.closest("[data-conditions]"), event.target.closest("[data-group]"));
        if (on("remove")) remove(event.target.closest("[data-row]"));
        if (on("try")) preview(true);
    });
    form.querySelectorAll(".condition-row").forEach(suit);
    preview(false);
})();
