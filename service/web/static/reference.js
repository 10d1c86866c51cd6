// Shows /openapi.json. Here and not in the page, whose policy allows no script of its own.
const place = document.getElementById("swagger-ui");
SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  validatorUrl: null, // is asked over the network
  presets: [SwaggerUIBundle.presets.apis],
});
