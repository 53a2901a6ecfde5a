// The print button; printing from the browser's menu does the same.
"use strict";
document.getElementById("print").addEventListener("click", () => window.print());
