import ca.uhn.fhir.batch2.jobs.export.BulkDataExportProvider;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.provider.SubscriptionTriggeringProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.springframework.web.context.support.AnnotationConfigWebApplicationContext;

/**
 * HAPI FHIR's JPA server on the loopback interface: HapiServer R4|R4B|R5 PORT.
 *
 * <p>FHIR is at /fhir; /control is for the tests ({@link Control}). It ends at SIGTERM.
 */
public final class HapiServer {
    public static void main(String[] arguments) throws Exception {
        Server server = new Server(new QueuedThreadPool(32, 4));
        ServerConnector connector = new ServerConnector(server, 1, 1);
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(arguments[1]));
        server.addConnector(connector);

        AnnotationConfigWebApplicationContext context = new AnnotationConfigWebApplicationContext();
        context.register(Beans.of(arguments[0]));
        ServletContextHandler handler = new ServletContextHandler();
        context.setServletContext(handler.getServletContext());
        context.refresh();
        handler.addServlet(new ServletHolder(restfulServer(context)), "/fhir/*");
        handler.addServlet(new ServletHolder(new Control(context)), "/control/*");
        server.setHandler(handler);
        server.setStopAtShutdown(true);
        server.start();
        server.join();
    }

    private static RestfulServer restfulServer(AnnotationConfigWebApplicationContext context) {
        RestfulServer server = new RestfulServer(context.getBean(FhirContext.class));
        server.registerProviders(context.getBean(ResourceProviderFactory.class).createProviders());
        server.registerProvider(context.getBean(JpaSystemProvider.class));
        server.registerProvider(context.getBean(BulkDataExportProvider.class));
        server.registerProvider(context.getBean(SubscriptionTriggeringProvider.class));
        server.setPagingProvider(context.getBean(DatabaseBackedPagingProvider.class));
        server.setDefaultResponseEncoding(EncodingEnum.JSON);
        server.setServerConformanceProvider(new JpaCapabilityStatementProvider(
            server,
            context.getBean(IFhirSystemDao.class),
            context.getBean(JpaStorageSettings.class),
            context.getBean(ISearchParamRegistry.class),
            context.getBean(IValidationSupport.class)));
        return server;
    }
}
