// Draws /openapi.json. validatorUrl: no badge, which would send the description to another host.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
