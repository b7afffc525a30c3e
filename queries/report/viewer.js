"use strict";
// Loads the interactive map that stands in the page as JSON. A number that is not known is null
// there and NaN for chemiscope, which draws no point for it.
{
  const text = document.getElementById("viewer-data").textContent;
  const note = document.getElementById("viewer-note");
  const sides = document.querySelector(".viewer-sides");
  const data = JSON.parse(text);
  for (const property of Object.values(data.properties)) {
    property.values = property.values.map((value) => (value === null ? NaN : value));
  }
  const fail = (error) => {
    sides.hidden = true;
    note.textContent = `The interactive map cannot be shown here (${error.message}). It needs WebGL. The figures below show the same places.`;
    document.documentElement.dataset.viewer = "failed";
  };
  const warnings = new Chemiscope.Warnings();
  // Names of structures are there to be read, and are too many to be symbols, which it warns of.
  warnings.addHandler((message) => {
    if (!message.includes("interpreted as categories")) note.textContent = message;
  });
  const places = { meta: "viewer-meta", map: "viewer-map", structure: "viewer-structure", info: "viewer-info" };
  note.textContent = "";
  if (document.createElement("canvas").getContext("webgl") === null) {
    fail(new Error("no WebGL"));
  } else {
    Chemiscope.DefaultVisualizer.load(places, data, warnings).then(
      () => { document.documentElement.dataset.viewer = "ready"; }, fail);
  }
}
