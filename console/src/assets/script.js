// What a page is without this script, it is with it; this adds live texts, shortcuts and themes.
"use strict";
(() => {
  const root = document.documentElement;
  const stored = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const store = (name, value) => { try { localStorage.setItem(name, value); } catch { /* only for this page, then */ } };
  root.dataset.scripted = "";
  const themes = ["system", "light", "dark"];
  const show = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  show(stored("graceful-theme"));

  document.addEventListener("DOMContentLoaded", () => {
    const body = document.body;
    const button = (id) => document.getElementById(id);

    const theme = () => stored("graceful-theme") ?? "system";
    const label = () => { button("theme").textContent = `Theme: ${theme()}`; };
    const nextTheme = () => {
      store("graceful-theme", themes[(themes.indexOf(theme()) + 1) % themes.length]);
      show(theme());
      label();
    };
    button("theme").addEventListener("click", nextTheme);
    label();

    // Live texts. Only they change: no field, no selection, no open part, no scroll position.
    const cells = new Map();
    for (const cell of document.querySelectorAll("[data-live]")) {
      cells.set(cell.dataset.live, [...(cells.get(cell.dataset.live) ?? []), cell]);
    }
    const control = button("live-control");
    let source = null, release = null;
    const selected = () => {
      const selection = document.getSelection();
      return selection && !selection.isCollapsed ? selection : null;
    };
    const update = (message) => {
      for (const [name, text] of Object.entries(JSON.parse(message.data))) {
        for (const cell of cells.get(name) ?? []) {
          if (cell.textContent === text || selected()?.containsNode(cell, true)) continue;
          cell.textContent = text;
          delete cell.dataset.changed;
          requestAnimationFrame(() => { cell.dataset.changed = ""; });
        }
      }
    };
    const close = () => {
      source?.close();
      release?.();
      source = release = null;
    };
    // A browser has six connections to a host: four of them may stay open.
    const slot = async () => {
      if (!navigator.locks) return () => {};
      for (const place of [1, 2, 3, 4]) {
        const got = await new Promise((resolve) => {
          navigator.locks.request(`graceful-live-${place}`, { ifAvailable: true }, (lock) => {
            if (!lock) return resolve(null);
            return new Promise((done) => resolve(done));
          });
        });
        if (got) return got;
      }
      return null;
    };
    const seconds = () => stored("graceful-live") ?? "5";
    let opening = 0;
    const open = async () => {
      close();
      const turn = ++opening;
      if (document.hidden || seconds() === "0" || cells.size === 0) return;
      const got = await slot();
      if (!got) return;
      if (turn !== opening) return got();
      release = got;
      const query = new URLSearchParams({ page: body.dataset.page, query: body.dataset.query, every: seconds() });
      source = new EventSource(`live?${query}`);
      source.addEventListener("message", update);
    };
    if (cells.size > 0) {
      const select = document.createElement("select");
      select.setAttribute("aria-label", "Live updates");
      for (const [value, text] of [["0", "live: off"], ["1", "live: 1 s"], ["5", "live: 5 s"], ["15", "live: 15 s"], ["60", "live: 60 s"]]) {
        select.add(new Option(text, value, false, value === seconds()));
      }
      select.addEventListener("change", () => { store("graceful-live", select.value); open(); });
      control.append(select);
      document.addEventListener("visibilitychange", () => (document.hidden ? (opening++, close()) : open()));
      addEventListener("pagehide", close);
      addEventListener("pageshow", (event) => { if (event.persisted) open(); });
      open();
    }

    // Tick all flows of the table.
    for (const table of document.querySelectorAll("form table")) {
      const boxes = table.querySelectorAll("tbody input[type=checkbox]");
      const head = table.querySelector("th");
      if (boxes.length === 0) continue;
      const all = document.createElement("input");
      all.type = "checkbox";
      all.setAttribute("aria-label", "Select all flows of this page");
      all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
      head.append(all);
    }

    // Shortcuts.
    const keys = new Map([...document.querySelectorAll("[data-key]")].map((link) => [link.dataset.key, link]));
    const help = () => {
      const old = document.querySelector("dialog");
      if (old) return old.remove();
      const dialog = document.createElement("dialog");
      const list = document.createElement("dl");
      list.className = "fields";
      const line = (key, text) => {
        const [name, value] = ["dt", "dd"].map((kind) => document.createElement(kind));
        const shown = document.createElement("kbd");
        shown.textContent = key;
        name.append(shown);
        value.textContent = text;
        list.append(name, value);
      };
      for (const [key, link] of keys) line(key, link.textContent);
      line("/", "Search");
      line("r", "Refresh");
      line("t", "Theme");
      line("?", "This help");
      const title = document.createElement("h2");
      title.textContent = "Shortcuts";
      const shut = document.createElement("button");
      shut.textContent = "Close";
      shut.addEventListener("click", () => dialog.close());
      dialog.addEventListener("close", () => dialog.remove());
      dialog.append(title, list, shut);
      body.append(dialog);
      dialog.showModal();
    };
    button("help").addEventListener("click", help);
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, textarea, select, dialog")) return;
      if (event.key === "/") {
        const field = document.querySelector("form.filter input[type=text]");
        if (field) {
          event.preventDefault();
          field.closest("details").open = true;
          field.focus();
          field.select();
        } else keys.get("f")?.click();
      } else if (event.key === "r") location.reload();
      else if (event.key === "t") nextTheme();
      else if (event.key === "?") help();
      else keys.get(event.key)?.click();
    });

    // A form is sent once.
    document.addEventListener("submit", (event) => {
      if (event.target.method !== "post") return;
      if (event.target.dataset.sent !== undefined) event.preventDefault();
      event.target.dataset.sent = "";
      addEventListener("pageshow", () => { delete event.target.dataset.sent; }, { once: true });
    });
  });
})();
